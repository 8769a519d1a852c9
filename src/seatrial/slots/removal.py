"""What of a slot is gone, and since when: the receipt of a clean-up while it is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Literal

from seatrial.domain.engine_ports import Removed

Part = Literal[
    "door_socket",
    "credentials",
    "channel_socket",
    "tmpfs",
    "image_layer",
    "container",
    "relay",
    "volume",
    "folder",
]
"""A part of a slot, by the name under which receipts show it."""


class Removal:
    """Notes when each part of a slot was found gone. It counts from its making."""

    def __init__(self, expected: Sequence[Part] = ()) -> None:
        """`expected` are the parts that there are."""
        self._expected = expected
        self._began = time.monotonic()
        self.gone: dict[str, float] = {}
        """Parts that are gone, with the seconds after which each was."""

    @property
    def left(self) -> tuple[Part, ...]:
        """Parts that are not known to be gone."""
        return tuple(part for part in self._expected if part not in self.gone)

    def note(self, *parts: Part) -> None:
        """These are gone now."""
        self._note(time.monotonic() - self._began, *parts)

    async def of_container(self, removing: Awaitable[Removed]) -> None:
        """Remove a container, and note what went with it and when."""
        started = time.monotonic() - self._began
        removed = await removing
        self._note(started + removed.tmpfs, "tmpfs")
        self._note(started + removed.image_layer, "image_layer")
        self.note("container")

    def _note(self, seconds: float, *parts: Part) -> None:
        self.gone.update(dict.fromkeys(parts, round(seconds, 4)))


async def all_of(*works: Awaitable[None]) -> None:
    """Do all of it at once, to the end of each; the first error is raised then."""
    for done in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(done, BaseException):
            raise done
