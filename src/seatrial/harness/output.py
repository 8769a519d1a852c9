"""The child's output on its way to the channel: batches of 20 ms within the log budget."""

from typing import Callable, Optional

from .logs import CHUNK_BYTES, LogBatch, LogBudget
from .loop import Loop, Timer
from .protocol import Log, NoticeFrame, Numbered, Response

BATCH_SECONDS = 0.02


class Output:
    """Takes bytes of stdout and stderr, sends log frames.

    The beginning goes out as it comes, the end after `finish`; between them a notice says how
    much was dropped.
    """

    def __init__(self, loop: Loop, send: Callable[[Numbered], None], log_bytes: int) -> None:
        self._loop, self._send = loop, send
        self._batch = LogBatch()
        self._timer: Optional[Timer] = None
        self.budget = LogBudget(log_bytes)

    def add(self, stream: str, data: bytes) -> None:
        """Take output."""
        head = self.budget.add(stream, data)
        if not head:
            return
        if self._batch.size + len(head) > CHUNK_BYTES:
            self.flush()
        self._batch.add(stream, head)
        if self._batch.size >= CHUNK_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.later(BATCH_SECONDS, self.flush)

    def flush(self, final: bool = False) -> None:
        """Send what waits for its 20 ms to pass."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for stream, text in self._batch.take(final):
            self._send(Log("stdout" if stream == "stdout" else "stderr", text))

    def finish(self) -> None:
        """Send the end of the output. Nothing may be added afterwards."""
        self.flush(final=True)
        tail = self.budget.tail()
        if self.budget.dropped:
            self._send(
                NoticeFrame(
                    "log_truncated",
                    f"{self.budget.dropped} bytes of {self.budget.written} were dropped here:"
                    " the beginning and the end of the output are kept.",
                )
            )
        for stream, data in tail:
            if self._batch.size + len(data) > CHUNK_BYTES:
                self.flush()
            self._batch.add(stream, data)
        self.flush(final=True)


class ResponseStream:
    """Pieces of the response, joined over 20 ms, up to the size that a response may have."""

    def __init__(self, loop: Loop, send: Callable[[Numbered], None], limit: int) -> None:
        self._loop, self._send, self._left = loop, send, limit
        self._pieces: list[str] = []
        self._size = 0
        self._timer: Optional[Timer] = None

    def add(self, text: str) -> None:
        """Take a piece. What is over the limit is not streamed: the result will say so."""
        size = len(text.encode("utf-8"))
        if size > self._left:
            self._left = -1
            return
        self._left -= size
        self._pieces.append(text)
        self._size += size
        if self._size >= CHUNK_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.later(BATCH_SECONDS, self.flush)

    def flush(self) -> None:
        """Send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        text = "".join(self._pieces)
        self._pieces, self._size = [], 0
        for start in range(0, len(text), CHUNK_BYTES):
            self._send(Response(text[start : start + CHUNK_BYTES]))
