"""The child's output as data: text decoded across cuts, within a budget of bytes."""

import codecs
from collections import deque

CHUNK_BYTES = 64 * 1024
"""Most bytes of output in one log frame."""

SEGMENTS = 4
"""How often the output may change its stream in one batch; then order between streams is lost."""


class LogBatch:
    """Output of both streams in the order it was read, until it is taken."""

    def __init__(self) -> None:
        self._decoders = {
            stream: codecs.getincrementaldecoder("utf-8")("replace")
            for stream in ("stdout", "stderr")
        }
        self._segments: list[tuple[str, list[str]]] = []
        self.size = 0

    def add(self, stream: str, data: bytes) -> None:
        """Append output. Characters that are cut between two calls survive."""
        text = self._decoders[stream].decode(data)
        self.size += len(data)
        if text:
            self._pieces(stream).append(text)

    def _pieces(self, stream: str) -> list[str]:
        same = [pieces for name, pieces in self._segments if name == stream]
        if self._segments and self._segments[-1][0] == stream:
            return same[-1]
        if same and len(self._segments) >= SEGMENTS:
            return same[-1]
        self._segments.append((stream, []))
        return self._segments[-1][1]

    def take(self, final: bool = False) -> list[tuple[str, str]]:
        """Everything so far as (stream, text); `final` also gives out half a character."""
        if final:
            for stream, decoder in self._decoders.items():
                rest = decoder.decode(b"", True)
                if rest:
                    self._pieces(stream).append(rest)
        taken = [(stream, "".join(pieces)) for stream, pieces in self._segments if pieces]
        self._segments, self.size = [], 0
        return taken


class LogBudget:
    """Three quarters of the budget for the beginning, a ring of one quarter for the end."""

    def __init__(self, total: int) -> None:
        self._head_left = total * 3 // 4
        self._tail_limit = total - self._head_left
        self._tail: deque[tuple[str, bytes]] = deque()
        self._tail_size = 0
        self.written = 0
        self.dropped = 0

    def add(self, stream: str, data: bytes) -> bytes:
        """Count output; the part of it that belongs to the beginning and goes out now."""
        self.written += len(data)
        head = data[: self._head_left]
        self._head_left -= len(head)
        if len(head) < len(data):
            self._keep(stream, data[len(head) :])
        return head

    def _keep(self, stream: str, data: bytes) -> None:
        if len(data) > self._tail_limit:
            cut = len(data) - self._tail_limit
            self.dropped += cut
            data = data[cut:]
        self._append(stream, data)
        self._tail_size += len(data)
        while self._tail_size > self._tail_limit:
            oldest, first = self._tail.popleft()
            surplus = self._tail_size - self._tail_limit
            if len(first) > surplus:
                self._tail.appendleft((oldest, first[surplus:]))
            lost = min(surplus, len(first))
            self._tail_size -= lost
            self.dropped += lost

    def _append(self, stream: str, data: bytes) -> None:
        """Small pieces are joined: a ring of single bytes would cost a hundred times its size."""
        if self._tail:
            name, last = self._tail[-1]
            if name == stream and len(last) + len(data) <= 4096:
                self._tail[-1] = (stream, last + data)
                return
        if data:
            self._tail.append((stream, data))

    def tail(self) -> list[tuple[str, bytes]]:
        """What the ring holds, oldest first; without half a character at its beginning."""
        kept = list(self._tail)
        if kept and self.dropped:
            stream, first = kept[0]
            start = 0
            while start < min(3, len(first)) and first[start] & 0xC0 == 0x80:
                start += 1
            kept[0] = (stream, first[start:])
        self._tail.clear()
        return kept
