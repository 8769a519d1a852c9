"""Takes known secrets out of what comes back, so that no upstream can hand a key to an agent.

A secret is replaced by stars of the same length: lengths that headers announce stay right and
JSON stays JSON. Only the value itself is found, not an encoding of it.
"""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST_SECRET = 8
"""Shorter values ("EMPTY", "x") are placeholders; replacing them would damage answers."""


class Scrubber:
    """Scrubs one stream of bytes.

    It holds bytes back only while the end of what it has seen may be the beginning of a
    secret, so a chunk of a stream normally passes whole and at once.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Nothing is scrubbed when there are no secrets."""
        self._secrets = tuple(s.encode() for s in secrets if len(s) >= SHORTEST_SECRET)
        self._held = b""

    @property
    def active(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._secrets)

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may be sent on now."""
        if not self._secrets:
            return chunk
        data = self._replaced(self._held + chunk)
        keep = max(_overlap(data, secret) for secret in self._secrets)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def end(self) -> bytes:
        """The bytes that were held back: the beginning of a secret that did not come."""
        rest, self._held = self._held, b""
        return rest

    def text(self, value: str) -> str:
        """The text without secrets, for headers and messages."""
        return self._replaced(value.encode("utf-8", "replace")).decode("utf-8", "replace")

    def _replaced(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret, b"*" * len(secret))
        return data


def _overlap(data: bytes, secret: bytes) -> int:
    """How many bytes at the end of the data are the beginning of the secret."""
    start = data.find(secret[:1], max(0, len(data) - len(secret) + 1))
    while start >= 0:
        if secret.startswith(data[start:]):
            return len(data) - start
        start = data.find(secret[:1], start + 1)
    return 0
