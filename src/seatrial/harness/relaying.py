"""The relay container's work: sockets on one side, the worker's pipe on the other."""

import os
import socket
import time
from contextlib import suppress
from typing import Callable, Optional

from . import tunnel
from .loop import READ, WRITE, Loop, Watch

LISTENED = {tunnel.GATEWAY: (0o666, 280), tunnel.CHANNEL: (0o600, 32)}
"""Mode of each socket, and how many connections it may have at one time.

The door is open to every user of the container; the gateway itself takes 256. The channel is
process 1's: it has root's uid, as this process has, and nobody else can even connect.
"""
CLAIM = "claim"
FULL_BYTES = 512 * 1024
CHECK_SECONDS = 0.5

DONE = 0
SILENT = 3
BROKEN = 4


class DoorRelay:
    """Lives as long as its pipe. `run` returns the exit code of process 1.

    0: the pipe ended. 3: the worker was silent for too long. 4: the worker spoke nonsense.
    """

    def __init__(self, folder: str, silence_seconds: float, pipe: tuple[int, int] = (0, 1)) -> None:
        self._folder = folder
        self._silence_seconds = silence_seconds
        self._loop = Loop()
        self._code: Optional[int] = None
        self._heard_at = time.monotonic()
        self._decoder = tunnel.Decoder()
        self._connections: dict[int, "Connection"] = {}
        self._counts = dict.fromkeys(LISTENED, 0)
        self._last = 0
        os.set_blocking(pipe[0], False)
        self._input = self._loop.watch(pipe[0], READ, self._hear, priority=0)
        self.out = Output(self._loop, pipe[1], self._pipe_ended)

    def run(self) -> int:
        """Carry bytes until there is nobody to carry them for."""
        self._loop.later(CHECK_SECONDS, self._check)
        while self._code is None:
            self._loop.turn()
        return self._code

    # --- the worker

    def _hear(self, events: int) -> None:
        try:
            data = os.read(self._input.fd, 256 * 1024)
            pieces = self._decoder.feed(data)
        except BlockingIOError:
            return
        except (OSError, tunnel.TunnelError):
            self._code = BROKEN
            return
        self._heard_at = time.monotonic()
        if not data:
            self._pipe_ended()
        for piece in pieces:
            self._take(piece)

    def _take(self, piece: tunnel.Piece) -> None:
        connection = self._connections.get(piece.stream)
        if piece.kind == tunnel.SERVE:
            self._serve(piece.data)
        elif piece.kind == tunnel.CLAIMED:
            _forget(os.path.join(self._folder, CLAIM))
        elif connection is None:
            return  # it ended here while that was under way
        elif piece.kind == tunnel.DATA:
            connection.take(piece.data)
        elif piece.kind == tunnel.END:
            connection.take(b"")
        elif piece.kind == tunnel.CREDIT:
            connection.credit(tunnel.credited(piece.data))
        elif piece.kind == tunnel.CUT:
            connection.close()

    def _pipe_ended(self) -> None:
        self._code = DONE

    def _check(self) -> None:
        if time.monotonic() - self._heard_at > self._silence_seconds:
            self._code = SILENT
        self._loop.later(CHECK_SECONDS, self._check)

    # --- the container

    def _serve(self, claim: bytes) -> None:
        # The container's users may pass through the folder, but list nothing.
        os.chmod(self._folder, 0o711)  # noqa: S103
        if claim:
            _write(os.path.join(self._folder, CLAIM), claim)
        for name, (mode, _) in LISTENED.items():
            path = os.path.join(self._folder, f"{name.decode()}.sock")
            _forget(path)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(path)
            os.chmod(path, mode)
            listener.listen(LISTENED[name][1])
            listener.setblocking(False)
            self._loop.watch(
                listener.fileno(), READ, lambda _, s=listener, n=name: self._accept(s, n)
            )
        self.out.send(tunnel.encode(tunnel.READY))

    def _accept(self, listener: socket.socket, name: bytes) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return
        if self._counts[name] >= LISTENED[name][1]:
            accepted.close()
            return
        accepted.setblocking(False)
        self._last += 1
        self._counts[name] += 1
        self.out.send(tunnel.encode(tunnel.OPEN, self._last, name))
        self._connections[self._last] = Connection(self, self._loop, accepted, self._last, name)

    def ended(self, number: int, name: bytes) -> None:
        """A connection is over."""
        if self._connections.pop(number, None) is not None:
            self._counts[name] -= 1


class Output:
    """What goes to the worker: kept until the pipe takes it, and full when that is much."""

    def __init__(self, loop: Loop, fd: int, on_end: Callable[[], None]) -> None:
        os.set_blocking(fd, False)
        self._buffer = bytearray()
        self._on_end = on_end
        self._waiting: dict[Connection, None] = {}
        self._watch = loop.watch(fd, 0, lambda _: self._write(), priority=0)

    @property
    def full(self) -> bool:
        """Whether connections should not be read now."""
        return len(self._buffer) >= FULL_BYTES

    def send(self, data: bytes) -> None:
        """Hand it to the pipe, now or as soon as it takes it."""
        self._buffer += data
        if not self._watch.mask:
            self._write()

    def wait(self, connection: "Connection") -> None:
        """Tell the connection, once, when there is room."""
        self._waiting[connection] = None

    def _write(self) -> None:
        try:
            while self._buffer:
                del self._buffer[: os.write(self._watch.fd, self._buffer[: 256 * 1024])]
        except BlockingIOError:
            pass
        except OSError:
            self._on_end()
            return
        self._watch.want(WRITE if self._buffer else 0)
        while self._waiting and not self.full:
            first = next(iter(self._waiting))
            del self._waiting[first]
            first.settle()


class Connection:
    """One connection from the container: read as the worker takes it, written as it comes."""

    def __init__(
        self, relay: DoorRelay, loop: Loop, accepted: socket.socket, number: int, name: bytes
    ) -> None:
        self._relay, self._socket = relay, accepted
        self._number, self._name = number, name
        self._window = tunnel.WINDOW_BYTES  # what may still be sent to the worker
        self._owed = tunnel.Owed()
        self._pending = bytearray()
        self._read_ended = self._write_ends = self._write_ended = self._closed = False
        self._watch: Watch = loop.watch(accepted.fileno(), READ, self._ready)

    def take(self, data: bytes) -> None:
        """Bytes for the container; empty: no more of them."""
        if self._closed:
            return
        self._pending += data
        self._write_ends = self._write_ends or not data
        self._go_on(WRITE)

    def credit(self, size: int) -> None:
        """The worker wrote so many bytes out."""
        self._window += size
        self.settle()

    def settle(self) -> None:
        """Watch for what there is to do: read only what the worker can take."""
        if self._closed:
            return
        mask = WRITE if self._pending else 0
        if not self._read_ended and self._window > 0:
            if not self._relay.out.full:
                mask |= READ
            else:
                self._relay.out.wait(self)
        self._watch.want(mask)

    def close(self) -> None:
        """End it now, both ways."""
        if self._closed:
            return
        self._closed = True
        self._watch.want(0)
        self._socket.close()
        self._relay.ended(self._number, self._name)

    def _ready(self, events: int) -> None:
        self._go_on(events)

    def _go_on(self, events: int) -> None:
        try:
            if events & WRITE:
                self._write()
            if events & READ and not self._relay.out.full:
                self._read()
        except BlockingIOError:
            pass
        except OSError:
            self._relay.out.send(tunnel.encode(tunnel.CUT, self._number))
            self.close()
            return
        if self._read_ended and self._write_ended:
            self.close()
        else:
            self.settle()

    def _read(self) -> None:
        data = self._socket.recv(min(tunnel.PIECE_BYTES, self._window))
        if data:
            self._window -= len(data)
            self._relay.out.send(tunnel.encode(tunnel.DATA, self._number, data))
        else:
            self._read_ended = True
            self._relay.out.send(tunnel.encode(tunnel.END, self._number))

    def _write(self) -> None:
        if self._pending:
            with suppress(BlockingIOError):
                written = self._socket.send(self._pending)
                del self._pending[:written]
                if due := self._owed.add(written):
                    self._relay.out.send(tunnel.credit(self._number, due))
        if self._write_ends and not self._pending and not self._write_ended:
            self._write_ended = True
            self._socket.shutdown(socket.SHUT_WR)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o644)


def _forget(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
