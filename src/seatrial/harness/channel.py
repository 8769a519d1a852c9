"""The supervisor's end of the channel: numbered frames, kept until they are acknowledged."""

import os
import socket
import time
from collections import deque
from typing import Callable, Optional, Union

from .loop import READ, WRITE, Loop, Watch
from .protocol import (
    VERSION,
    Ack,
    Assign,
    Cancel,
    Heartbeat,
    Hello,
    Numbered,
    ProtocolError,
    Refused,
    Welcome,
    encode,
    worker_decoder,
)

BUFFER_BYTES = 4 * 1024 * 1024
"""Unacknowledged bytes from which the channel counts as full."""

BEAT_SECONDS = 2.0
RETRY_SECONDS = 0.2

Order = Union[Assign, Cancel]


class Channel:
    """A connection that outlives its sockets.

    A frame that was sent stays in the buffer until the worker acknowledged it, and goes out again
    after a reconnect, in order. `full` means that no more foreign output should be read; frames
    are taken even then. `on_order` gets assignments and cancels, `on_change` is called when
    frames were acknowledged, `on_refused` when the worker does not want this harness.
    """

    def __init__(
        self,
        loop: Loop,
        path: str,
        claim: Optional[str],
        on_order: Callable[[Order], None],
        on_change: Callable[[], None],
        on_refused: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._path = path
        self._claim = claim
        self._session: Optional[str] = None
        self._on_order, self._on_change, self._on_refused = on_order, on_change, on_refused
        self._unacked: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._last = 0
        self._sent = 0  # number of the last frame that was put on the present connection
        self._out = bytearray()
        self._socket: Optional[socket.socket] = None
        self._watch: Optional[Watch] = None
        self._welcome = False
        self._heard_at = self._beat_at = time.monotonic()
        self.assigned = False

    @property
    def full(self) -> bool:
        """Whether the buffer holds as much as it should."""
        return self._bytes >= BUFFER_BYTES

    @property
    def settled(self) -> bool:
        """Whether everything that was sent is acknowledged."""
        return not self._unacked

    @property
    def silent_seconds(self) -> float:
        """How long the worker has said nothing."""
        return time.monotonic() - self._heard_at

    def start(self) -> None:
        """Connect, and reconnect from now on whenever the connection is lost."""
        self._connect()
        self._loop.later(BEAT_SECONDS / 4, self._beat)

    def send(self, frame: Numbered) -> None:
        """Number a frame, keep it, and write it as soon as there is a connection."""
        self._last += 1
        wire = encode(frame, self._last)
        self._unacked.append((self._last, wire))
        self._bytes += len(wire)
        self._write()

    def close(self) -> None:
        """Give the connection up for good."""
        if self._watch and self._socket:
            self._watch.want(0)
            self._socket.close()
        self._watch = self._socket = None
        self._welcome = False
        self._out.clear()

    def _connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            connection.connect(self._path)
        except OSError:
            connection.close()
            self._loop.later(RETRY_SECONDS, self._connect)
            return
        self._socket = connection
        self._decoder = worker_decoder()
        self._watch = self._loop.watch(connection.fileno(), READ, self._ready)
        claim = None if self._session else self._claim
        self._out += encode(Hello(VERSION, claim, self._session, self.assigned))
        self._write()

    def _lost(self) -> None:
        self.close()
        self._loop.later(RETRY_SECONDS, self._connect)

    def _ready(self, events: int) -> None:
        if events & READ:
            self._read()
        if events & WRITE:
            self._write()

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(256 * 1024)
            frames = self._decoder.feed(data)
        except BlockingIOError:
            return
        except (OSError, ProtocolError):
            self._lost()
            return
        if not data:
            self._lost()
            return
        self._heard_at = time.monotonic()
        for _, frame in frames:
            self._take(frame)

    def _take(self, frame: Union[Order, Welcome, Refused, Ack, Heartbeat]) -> None:
        if isinstance(frame, Welcome):
            self._session = frame.session or self._session
            self._forget(frame.acked)
            self._sent = self._unacked[0][0] - 1 if self._unacked else self._last
            self._welcome = True
            self._write()
            self._on_change()
        elif isinstance(frame, Ack):
            self._forget(frame.n)
            self._on_change()
        elif isinstance(frame, Refused):
            self._on_refused(frame.reason)
        elif isinstance(frame, Cancel) or (isinstance(frame, Assign) and not self.assigned):
            self._on_order(frame)

    def _forget(self, acked: int) -> None:
        """Drop what is acknowledged. A worker cannot acknowledge what was never sent."""
        while self._unacked and self._unacked[0][0] <= min(acked, self._last):
            self._bytes -= len(self._unacked.popleft()[1])

    def _fill(self) -> None:
        """Put unsent frames on the wire's buffer, about 1 MiB at a time."""
        if not self._welcome or not self._unacked:
            return
        first = self._unacked[0][0]
        while self._sent < self._last and len(self._out) < 1024 * 1024:
            self._sent = max(self._sent + 1, first)
            self._out += self._unacked[self._sent - first][1]

    def _write(self) -> None:
        if self._socket is None or self._watch is None:
            return
        try:
            while True:
                self._fill()
                if not self._out:
                    break
                del self._out[: self._socket.send(self._out)]
                self._beat_at = time.monotonic()
        except BlockingIOError:
            self._watch.want(READ | WRITE)
            return
        except OSError:
            self._lost()
            return
        self._watch.want(READ)

    def _beat(self) -> None:
        if self._welcome and not self._out and time.monotonic() - self._beat_at >= BEAT_SECONDS:
            self._out += encode(Heartbeat())
            self._write()
        self._loop.later(BEAT_SECONDS / 4, self._beat)


def read_claim(path: str) -> Optional[str]:
    """The single-use token that the worker left beside the socket; None when there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    with os.fdopen(descriptor, encoding="ascii") as file:
        return file.read(4096).strip() or None
