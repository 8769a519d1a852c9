"""Moving bytes between the supervisor and the child's pipes without ever blocking."""

import os
from contextlib import suppress
from typing import Callable, Optional

from .loop import READ, WRITE, Loop

READ_BYTES = 64 * 1024


class Pump:
    """Reads one pipe of the child until its end; can be paused."""

    def __init__(
        self,
        loop: Loop,
        fd: int,
        on_data: Callable[[bytes], None],
        on_end: Callable[[], None],
        priority: int = 1,
    ) -> None:
        self._fd = fd
        self._on_data, self._on_end = on_data, on_end
        self._watch = loop.watch(fd, READ, self._ready, priority)
        self.ended = False

    def pause(self, paused: bool) -> None:
        """Stop or go on reading. The writer waits meanwhile."""
        if not self.ended:
            self._watch.want(0 if paused else READ)

    def drain(self) -> None:
        """Take what is in the pipe now and close it: for when its writers are dead."""
        self.pause(False)
        while not self.ended and self._read():
            pass
        self._close()

    def _ready(self, events: int) -> None:
        self._read()

    def _read(self) -> bool:
        """Read once; whether there may be more."""
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return False
        if data:
            self._on_data(data)
            return True
        self._close()
        self._on_end()
        return False

    def _close(self) -> None:
        if not self.ended:
            self.ended = True
            self._watch.want(0)
            os.close(self._fd)


class Feeder:
    """Writes a text into a pipe of the child, then closes it."""

    def __init__(self, loop: Loop, fd: int, data: bytes) -> None:
        self._fd: Optional[int] = fd
        self._left = memoryview(data)
        self._watch = loop.watch(fd, WRITE, self._ready)
        self._ready(WRITE)

    def _ready(self, events: int) -> None:
        if self._fd is None:
            return
        try:
            while self._left:
                self._left = self._left[os.write(self._fd, self._left[:READ_BYTES]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            pass
        self.close()

    def close(self) -> None:
        """End what is written, complete or not. Idempotent."""
        if self._fd is not None:
            self._watch.want(0)
            with suppress(OSError):
                os.close(self._fd)
            self._fd = None
