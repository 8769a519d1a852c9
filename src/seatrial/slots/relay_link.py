"""The worker's end of a relay's pipe: each connection that comes through is made here again.

Threat model. The relay's program is ours, but its pipe carries what a hostile agent sends, and
its engine may be another machine's: messages are parsed strictly, and a relay that says what
makes no sense is lost, with its slot alone. A pipe leads to the two sockets of one slot on this
machine and to nothing else, whatever is said on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from pathlib import Path

from seatrial.domain.errors import PlatformError
from seatrial.domain.ports import Pipe
from seatrial.harness import tunnel

MOST_CONNECTIONS = 640
"""Twice what a relay lets in: those that ended there may not be over here. Then they wait."""
_FULL_BYTES = 1024 * 1024
_CONNECT_AGAIN_SECONDS = 0.01


class RelayLink:
    """One slot's connections over its relay's pipe, until it is closed or lost."""

    def __init__(self, pipe: Pipe, sockets: Mapping[bytes, Path]) -> None:
        """`sockets` says where connections of each name lead. Needs a running loop."""
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.sockets = sockets
        self._pipe = pipe
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._decoder = tunnel.Decoder()
        self._connections: dict[int, Connection] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._out = bytearray()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._tasks = [
            asyncio.create_task(work) for work in (self._hear(), self._say(), self._beat())
        ]

    async def serve(self, claim: str, seconds: float) -> None:
        """Have the relay open its sockets; returns when they answer. PlatformError."""
        self.send(tunnel.encode(tunnel.SERVE, data=claim.encode()))
        await asyncio.wait(
            [self._ready, self.lost], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if not self._ready.done():
            why = self.lost.result() if self.lost.done() else f"no answer within {seconds:.0f} s"
            raise PlatformError(f"The relay of the container's sockets did not start: {why}")

    def forget_claim(self) -> None:
        """Remove the claim token: before anything that is sent later arrives."""
        self.send(tunnel.encode(tunnel.CLAIMED))

    async def close(self) -> None:
        """Cut every connection and let the relay end. Idempotent."""
        for task in (*self._tasks, *self._running):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._running, return_exceptions=True)
        await self._pipe.close()

    def send(self, data: bytes) -> None:
        """Queue a message."""
        self._out += data
        self._changed.set()
        if len(self._out) >= _FULL_BYTES:
            self._room.clear()

    async def room(self) -> None:
        """Wait while much is queued already."""
        await self._room.wait()

    # ------------------------------------------------------------------ the pipe

    async def _hear(self) -> None:
        try:
            while data := await self._pipe.read():
                for piece in self._decoder.feed(data):
                    await self._wait_for_ends()
                    self._take(piece)
        except tunnel.TunnelError as error:
            self._lose(f"it spoke nonsense: {error}")
        finally:
            self._lose("it ended")

    async def _wait_for_ends(self) -> None:
        while len(self._running) >= MOST_CONNECTIONS:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _say(self) -> None:
        try:
            while True:
                await self._changed.wait()
                data, self._out = bytes(self._out), bytearray()
                self._changed.clear()
                self._room.set()
                await self._pipe.write(data)
        except PlatformError as error:
            self._lose(error.message)

    async def _beat(self) -> None:
        while True:
            self.send(tunnel.encode(tunnel.BEAT))
            await asyncio.sleep(tunnel.BEAT_SECONDS)

    def _lose(self, why: str) -> None:
        if not self.lost.done():
            self.lost.set_result(why)
        for task in self._running:
            task.cancel()

    def _take(self, piece: tunnel.Piece) -> None:
        connection = self._connections.get(piece.stream)
        if piece.kind == tunnel.READY:
            if not self._ready.done():
                self._ready.set_result(None)
        elif piece.kind == tunnel.OPEN:
            self._open(piece)
        elif piece.kind not in {tunnel.DATA, tunnel.END, tunnel.CREDIT, tunnel.CUT}:
            raise tunnel.TunnelError(f"message {piece.kind} is not for a worker")
        elif connection is not None:  # else it ended here while that was under way
            connection.take(piece)

    def _open(self, piece: tunnel.Piece) -> None:
        path = self.sockets.get(piece.data)
        if path is None or piece.stream in self._connections:
            raise tunnel.TunnelError(f"connection {piece.stream} to {piece.data!r}")
        connection = self._connections[piece.stream] = Connection(self, piece.stream, path)
        task = asyncio.create_task(connection.run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: self._connections.pop(piece.stream, None))


class Connection:
    """One connection of the container, made again on this machine."""

    def __init__(self, link: RelayLink, number: int, path: Path) -> None:
        """Connects with `run`."""
        self._link = link
        self._number = number
        self._path = path
        self._window = tunnel.WINDOW_BYTES
        self._credited = asyncio.Event()
        self._owed = tunnel.Owed()
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self._under_way = 0
        self._cut = asyncio.Event()

    def take(self, piece: tunnel.Piece) -> None:
        """What the container's side says. TunnelError when it says more than it may."""
        if piece.kind == tunnel.CUT:
            self._cut.set()
        elif piece.kind == tunnel.CREDIT:
            self._window += tunnel.credited(piece.data)
            self._credited.set()
        else:
            self._under_way += len(piece.data)
            if self._under_way > tunnel.WINDOW_BYTES:
                raise tunnel.TunnelError("more bytes than there was room for")
            self._arrived.put_nowait(piece.data if piece.kind == tunnel.DATA else b"")

    async def run(self) -> None:
        """Carry bytes until both sides have said their end, or one cuts it."""
        try:
            reader, writer = await asyncio.open_unix_connection(sock=await connect(self._path))
        except OSError:
            # Its door is closed already, as a socket that refuses says it.
            self._link.send(tunnel.encode(tunnel.CUT, self._number))
            return
        whole = asyncio.gather(self._outward(reader), self._inward(writer))
        cut = asyncio.create_task(self._cut.wait())
        try:
            await asyncio.wait({whole, cut}, return_when=asyncio.FIRST_COMPLETED)
            if whole.done():
                await whole
                writer.close()  # what it still holds is written first
        except OSError:
            self._link.send(tunnel.encode(tunnel.CUT, self._number))
        finally:
            cut.cancel()
            whole.cancel()
            await asyncio.gather(whole, cut, return_exceptions=True)
            if not writer.is_closing():
                writer.transport.abort()

    async def _outward(self, reader: asyncio.StreamReader) -> None:
        """From this machine to the container, as it takes it."""
        while True:
            while self._window <= 0:
                self._credited.clear()
                await self._credited.wait()
            await self._link.room()
            data = await reader.read(min(tunnel.PIECE_BYTES, self._window))
            if not data:
                break
            self._window -= len(data)
            self._link.send(tunnel.encode(tunnel.DATA, self._number, data))
        self._link.send(tunnel.encode(tunnel.END, self._number))

    async def _inward(self, writer: asyncio.StreamWriter) -> None:
        """From the container to this machine."""
        while data := await self._arrived.get():
            writer.write(data)
            await writer.drain()
            self._under_way -= len(data)
            if due := self._owed.add(len(data)):
                self._link.send(tunnel.credit(self._number, due))
        writer.write_eof()


async def connect(path: Path) -> socket.socket:
    """A connected socket. OSError.

    A Unix socket whose queue is full refuses at once, which asyncio takes for a connection that
    is under way: so it is asked again here.
    """
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                client.connect(str(path))
                return client
            await asyncio.sleep(_CONNECT_AGAIN_SECONDS)
    except BaseException:
        client.close()
        raise
