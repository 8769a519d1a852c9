"""The end of what process 1 of each container wrote, for crashes before the channel stands.

The engine's logs are no transport and not kept: followed logs lose data, and a log file fills
the host's disk. So the output is attached to before the start, drained always (a reader that
stalls would stall the container) and only its end is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from aiodocker.stream import Stream

from seatrial.domain.errors import PlatformError

from .errors import translated

KEPT_BYTES = 64 * 1024
_LAST_WORDS_SECONDS = 1.0
"""How long after the end the output may still take to arrive."""


class Tail:
    """The end of an output, up to 64 KB."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._kept: deque[bytes] = deque()
        self._size = 0

    def add(self, data: bytes) -> None:
        """The output goes on."""
        self._kept.append(data)
        self._size += len(data)
        while self._size - len(self._kept[0]) >= KEPT_BYTES:
            self._size -= len(self._kept.popleft())

    def text(self) -> str:
        """What is kept; bytes that are no text are shown as such."""
        return b"".join(self._kept)[-KEPT_BYTES:].decode("utf-8", "replace")


class Evidence:
    """One container's output, drained in the background from the moment it is made."""

    def __init__(self, stream: Stream) -> None:
        """Takes the attached stream over and closes it in the end."""
        self._tail = Tail()
        self._task = asyncio.create_task(self._drain(stream))

    async def text(self) -> str:
        """The end of the output, up to 64 KB; waits briefly for the stream's own end."""
        await asyncio.wait([self._task], timeout=_LAST_WORDS_SECONDS)
        return self._tail.text()

    async def close(self) -> None:
        """Stop draining. Idempotent."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _drain(self, stream: Stream) -> None:
        # A connection that breaks ends the evidence, not the test.
        with contextlib.suppress(PlatformError), translated():
            try:
                while (message := await stream.read_out()) is not None:
                    self._tail.add(message.data)
            finally:
                await stream.close()
