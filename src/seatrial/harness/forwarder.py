"""The addresses that SDKs use, inside the container: bytes to and from the gateway's socket.

Its own process under its own uid: it reads what the agent sends, so it must not be process 1.
It understands nothing of what it moves.
"""

import os
import resource
import signal
import socket
from contextlib import suppress
from typing import Callable, Optional

from .loop import READ, WRITE, Loop, Watch

ADDRESSES = (
    (socket.AF_INET, "127.0.0.1", 8377),
    (socket.AF_INET, "127.0.0.1", 11434),
    (socket.AF_INET6, "::1", 11434),
)
"""The general address, and the one that is written into much code as Ollama's."""

PIECE_BYTES = 64 * 1024
MOST_CONNECTIONS = 200


def start(gateway: str, uid: int) -> Optional[int]:
    """Open the addresses and fork the forwarder; its process id, None when none could be opened.

    The addresses answer when this returns. An address that cannot be had (no IPv6) is left out.
    """
    listeners = [opened for opened in map(_listen, ADDRESSES) if opened is not None]
    if not listeners:
        return None
    pid = os.fork()
    if not pid:
        try:
            _become_user(uid)
            Forwarder(listeners, gateway).run()
        finally:
            os._exit(1)
    for listener in listeners:
        listener.close()
    return pid


def _listen(address: tuple[int, str, int]) -> Optional[socket.socket]:
    family, host, port = address
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        return None
    listener.setblocking(False)
    return listener


def _become_user(uid: int) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


class Forwarder:
    """Relays every connection to the gateway's Unix socket."""

    def __init__(self, listeners: list[socket.socket], gateway: str) -> None:
        self._loop = Loop()
        self._gateway = gateway
        self._most = min(MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - 16)
        self._open = 0
        self._watches = [
            self._loop.watch(item.fileno(), READ, lambda events, item=item: self._accept(item))
            for item in listeners
        ]

    def run(self) -> None:
        """Forward for ever."""
        while True:
            self._loop.turn()

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        client.setblocking(False)
        gateway = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        gateway.setblocking(False)
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            gateway.connect(self._gateway)
        except OSError:
            client.close()
            gateway.close()
            return
        self._count(1)
        Relay(self._loop, client, gateway, lambda: self._count(-1))

    def _count(self, change: int) -> None:
        self._open += change
        for watch in self._watches:
            watch.want(READ if self._open < self._most else 0)


class Relay:
    """Two sockets, each one's input the other's output, closed in halves as they end."""

    def __init__(
        self, loop: Loop, left: socket.socket, right: socket.socket, on_end: Callable[[], None]
    ) -> None:
        self._ends = (_End(left), _End(right))
        self._on_end = on_end
        for index, end in enumerate(self._ends):
            other = self._ends[1 - index]
            end.watch = loop.watch(
                end.socket.fileno(), READ, lambda events, e=end, o=other: self._ready(e, o, events)
            )

    def _ready(self, end: "_End", other: "_End", events: int) -> None:
        try:
            if events & WRITE:
                end.write()
            if events & READ:
                other.take(end.read())
        except BlockingIOError:
            pass
        except OSError:
            self._close()
            return
        self._settle(end, other)
        self._settle(other, end)
        if all(item.finished for item in self._ends):
            self._close()

    def _settle(self, end: "_End", other: "_End") -> None:
        """Read only while what was read before is written; write only what there is."""
        mask = WRITE if end.pending else 0
        if not end.read_ended and not other.pending:
            mask |= READ
        end.want(mask)

    def _close(self) -> None:
        for end in self._ends:
            end.want(0)
            with suppress(OSError):
                end.socket.close()
        self._on_end()


class _End:
    """One socket of a relay, with what is still to be written to it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.watch: Optional[Watch] = None
        self.pending = b""
        self.read_ended = False
        self._write_ends = False
        self.finished = False  # nothing will be written to it any more

    def want(self, mask: int) -> None:
        if self.watch is not None:
            self.watch.want(mask)

    def read(self) -> bytes:
        data = self.socket.recv(PIECE_BYTES)
        self.read_ended = not data
        return data

    def take(self, data: bytes) -> None:
        self.pending += data
        self._write_ends = self._write_ends or not data
        self.write()

    def write(self) -> None:
        if self.pending:
            with suppress(BlockingIOError):
                self.pending = self.pending[self.socket.send(self.pending) :]
        if self._write_ends and not self.pending and not self.finished:
            self.finished = True
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
