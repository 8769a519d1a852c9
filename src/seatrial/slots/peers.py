"""Whose connections a slot's sockets take: its own container's, never another local user's.

Threat model. The folders above the sockets are closed to other users (0700), which decides
everywhere. Behind that, the kernel names the process at the other end (SO_PEERCRED). It belongs
to the container when its control group carries the container's id, or when it descends from the
container's process 1. Where the worker cannot see that process (it runs in a container itself, in
another PID namespace, or /proc hides other users' processes), its user id and the folders decide.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seatrial.domain.ports import Engine

_CREDENTIALS = struct.Struct("3i")
_ID_SECONDS = 5.0
"""How long a claim waits for the engine's answer to the start of its container."""
_MOST_ANCESTORS = 64


class Connection(Protocol):
    """A socket as far as it is asked here; asyncio's own wrapper is one."""

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes:
        """See socket.socket."""
        ...


@dataclass(frozen=True)
class Peer:
    """The process that made a connection. `pid` is 0 in another PID namespace."""

    pid: int
    uid: int


def peer_of(connection: Connection) -> Peer | None:
    """Who made the connection; None on a system whose kernel does not say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    data = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(data)
    return Peer(pid, uid)


class OwnProcess:
    """Takes connections that this process makes itself: those that a relay carries here."""

    def admits(self, connection: Connection) -> bool:
        """See seatrial.domain.ports.Peers."""
        peer = peer_of(connection)
        return peer is None or peer.pid == os.getpid()

    async def may_claim(self, connection: Connection) -> bool:
        """The same for the channel."""
        return self.admits(connection)

    def started(self, container: str, process: int | None = None) -> None:
        """The container makes no connection here."""


class OwnContainer:
    """Takes connections of one container's processes."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is admitted before the container has an id. Needs a running loop."""
        self._engine = engine
        self._id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._first: int | None = None
        self._hidden = False

    def started(self, container: str, process: int | None = None) -> None:
        """The container's id is known, and its process 1 when the engine was asked for it."""
        if not self._id.done():
            self._id.set_result(container)
        if process is not None and is_process_1(process):
            self._first = process

    def admits(self, connection: Connection) -> bool:
        """See seatrial.domain.ports.Peers. Reads one or two files of /proc."""
        peer = peer_of(connection)
        if peer is None or self._hidden or _is_hidden(peer.pid):
            return True
        return self._id.done() and self._is_inside(peer.pid, self._id.result())

    async def may_claim(self, connection: Connection) -> bool:
        """Whether the channel may be opened from there.

        A container's first word can come before the engine has said that it started: it waits.
        """
        peer = peer_of(connection)
        if peer is None:
            return True
        if _is_hidden(peer.pid):
            return _is_trusted(peer.uid)
        try:
            async with asyncio.timeout(_ID_SECONDS):
                container = await asyncio.shield(self._id)
        except TimeoutError:
            return False  # the harness comes back
        return await self._is_process_1(peer, container)

    async def _is_process_1(self, peer: Peer, container: str) -> bool:
        if not self._is_inside(peer.pid, container):
            self._first = await self._engine.process(container)
            if self._first is None or not is_process_1(self._first):
                # An engine that says nothing, or counts in another PID namespace.
                self._hidden = _is_trusted(peer.uid)
                return self._hidden
        return self._is_inside(peer.pid, container)

    def _is_inside(self, pid: int, container: str) -> bool:
        if container in control_groups(pid):
            return True
        return self._first is not None and self._first in ancestors(pid)


def control_groups(pid: int) -> str:
    """The control groups of a process as the kernel lists them; "" when it is gone."""
    return _read(f"/proc/{pid}/cgroup")


def is_process_1(pid: int) -> bool:
    """Whether a process that is `pid` here is process 1 of a PID namespace of its own."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith("NSpid:"):
            seen = line.split()[1:]
            return len(seen) > 1 and seen[-1] == "1"
    return False


def ancestors(pid: int) -> list[int]:
    """The process itself, its parent, and so on upwards."""
    found = list[int]()
    while pid > 1 and len(found) < _MOST_ANCESTORS:
        found.append(pid)
        # The name in parentheses may hold anything, parentheses too: it ends with the last one.
        _, _, rest = _read(f"/proc/{pid}/stat").rpartition(")")
        fields = rest.split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return found


def _is_hidden(pid: int) -> bool:
    """Whether nothing can be found out about a process here."""
    return pid == 0 or not _read("/proc/1/cgroup")


def _is_trusted(uid: int) -> bool:
    """Root, which process 1 of most containers is, or this user, which it is without root."""
    return uid in {0, os.geteuid()}


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
