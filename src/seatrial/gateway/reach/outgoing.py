"""Looks for the test's own stored secrets in what it sends to a model service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from seatrial.gateway.scrub import KnownSecrets, Scrubber

_PIECE = 32 * 1024
"""Bytes that are searched between two passes of the event loop."""


class OutgoingSecrets:
    """The stored secrets that the agent of one test has, by variable."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Values too short to be told from ordinary text are not looked for."""
        self._each = {name: KnownSecrets((value,)) for name, value in secrets.items()}
        self._all = KnownSecrets(secrets.values())

    @property
    def active(self) -> bool:
        """Whether there is anything to look for."""
        return self._all.matcher is not None

    async def found(self, body: bytes, texts: Iterable[str]) -> dict[str, int]:
        """How often each variable's secret stands in a body or in other texts of a call."""
        if not self.active:
            return {}
        beside = "\n".join(texts).encode("utf-8", "surrogateescape")
        if not await self._hits(self._all, body) + await self._hits(self._all, beside):
            return {}
        counts = {
            name: await self._hits(known, body) + await self._hits(known, beside)
            for name, known in self._each.items()
        }
        return {name: hits for name, hits in counts.items() if hits}

    async def _hits(self, known: KnownSecrets, data: bytes) -> int:
        scrubber = Scrubber(known)
        for start in range(0, len(data), _PIECE):
            if start:
                await asyncio.sleep(0)
            scrubber.feed(data[start : start + _PIECE])
        scrubber.end()
        return scrubber.hits
