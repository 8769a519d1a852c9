"""The runner's end of the report pipe."""

import fcntl
import os
import resource
import threading
from typing import Optional, Union

from .protocol import Entry, ErrorFrame, ProtocolError, Response, ResultFrame, encode, split_result

_PIECE_CHARACTERS = 64 * 1024
_HIGH_FD = 64
"""From where the pipe gets its number: out of the way of what the agent opens first."""


class Reporter:
    """Writes frames into the pipe, from any thread; the pipe is hidden from child processes.

    A process that the agent forked reports nothing: the agent is the process that was started.
    """

    def __init__(self, fd: int, response_bytes: int) -> None:
        self._left = response_bytes
        allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        high = min(_HIGH_FD, allowed // 2) if allowed != resource.RLIM_INFINITY else _HIGH_FD
        self._fd: Optional[int] = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, high)
        os.close(fd)
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def emit(self, text: str) -> bool:
        """Send a piece of the response; False when it is longer than allowed by now."""
        self._left -= len(text)
        for start in range(0, len(text) if self._left >= 0 else 0, _PIECE_CHARACTERS):
            self.send(Response(_valid(text[start : start + _PIECE_CHARACTERS])))
        return self._left >= 0

    def result(self, result: ResultFrame) -> None:
        """Send the result, in parts when it is large."""
        for frame in split_result(result):
            self._write(encode(frame))

    def send(self, frame: Union[Entry, Response, ErrorFrame]) -> None:
        """Send one frame; one that cannot be encoded is left out."""
        try:
            self._write(encode(frame))
        except ProtocolError:
            return

    def _write(self, data: bytes) -> None:
        if self._fd is None or os.getpid() != self._pid:
            return
        left = memoryview(data)
        with self._lock:
            try:
                while left:
                    left = left[os.write(self._fd, left) :]
            except OSError:
                self._fd = None


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
