"""The worker's end of the channel to one container's harness.

Threat model. Who can reach it: every process in the container (the socket is in its mounted
folder), and no other one of this machine (see `peers`). So the first connection that shows the
claim token gets the session key, before any foreign code runs; after that only the session key
opens it. What its content can do: frames are parsed strictly with size limits, a gap or a forged
number cuts the connection, and nothing in a frame is ever used as a path, a name to import or a
format.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from seatrial.harness.protocol import (
    VERSION,
    Ack,
    Assign,
    Cancel,
    Decoder,
    Frame,
    FromHarness,
    Heartbeat,
    Hello,
    ProtocolError,
    Refused,
    ResultFrame,
    ResultPart,
    Welcome,
    encode,
    harness_decoder,
    join_result,
)

from .folders import SlotFolders
from .peers import OwnContainer, OwnProcess

log = logging.getLogger(__name__)

FrameBatch = Sequence[tuple[int, Frame]]
"""Numbered frames in order, each once. Parts of a result are joined to the ResultFrame."""

_HEARTBEAT_SECONDS = 2.0
_HELLO_SECONDS = 10.0
_READ_BYTES = 256 * 1024
_BATCHES_WAITING = 8
_LARGEST_RESULT_PARTS = 1024
_LARGEST_RESULT_CHARACTERS = 64 * 1024 * 1024
_STRANGERS = 16
"""Connections that have not shown a key yet; of more, the oldest is cut."""


class Channel:
    """Serves one slot's channel socket until it is closed.

    Frames come out of `batches()` in order and exactly once per number above `acked`; the
    harness keeps them until `ack` says that they are stored.
    """

    def __init__(
        self,
        folders: SlotFolders,
        *,
        claim: str | None,
        acked: int = 0,
        on_claimed: Callable[[], None] = lambda: None,
        peers: OwnProcess | OwnContainer | None = None,
    ) -> None:
        """With a claim token a fresh slot; without one an adopted slot, opened by its session.

        `on_claimed` is called before the claim is answered: it takes the token away from where
        the container sees it. Connections that `peers` does not admit are cut unread.
        """
        self._peers = peers
        self._warned = False
        self._folders = folders
        self._on_claimed = on_claimed
        self._claim = claim
        self._session = folders.read_session()
        self._acked = acked
        self._seen = acked
        self._batches: asyncio.Queue[FrameBatch] = asyncio.Queue(_BATCHES_WAITING)
        self._parts: list[ResultPart] = []
        self._parts_size = 0
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._closed = False
        self._strangers: list[asyncio.StreamWriter] = []
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._heartbeats: asyncio.Task[None] | None = None
        self._assign: Assign | None = None
        self._cancel: Cancel | None = None
        self.claimed = asyncio.Event()
        self.heard_at = time.monotonic()

    async def open(self) -> None:
        """Listen. A socket that a former worker left is replaced."""
        path = self._folders.channel_socket
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, path, backlog=16)
        # Process 1 has root's uid and no capability to pass file modes. Where we are root too,
        # nobody else in the container can even connect; elsewhere the claim token decides.
        Path(path).chmod(0o600 if os.getuid() == 0 else 0o666)
        self._heartbeats = asyncio.create_task(self._beat())

    async def close(self) -> None:
        """Cut the connection and remove the socket. Idempotent."""
        self._closed = True
        if self._heartbeats is not None:
            self._heartbeats.cancel()
        if self._server is not None:
            self._server.close()
        for task in tuple(self._serving):
            task.cancel()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._folders.channel_socket.unlink(missing_ok=True)

    def forget(self) -> None:
        """Give up the assignment, with the secrets in it: nobody is sent it any more."""
        self._assign = None

    def assign(self, assignment: Assign) -> None:
        """Give the harness its work, now or as soon as it connects. Once per slot.

        What a slow engine took to start the container is not the harness's silence.
        """
        self.heard_at = time.monotonic()
        self._assign = assignment
        if self.claimed.is_set():
            self._send(assignment)

    def cancel(self, grace_seconds: float) -> None:
        """Ask the harness to end its agent: SIGTERM, the grace, SIGKILL."""
        self._cancel = Cancel(grace_seconds=grace_seconds)
        self._send(self._cancel)

    def ack(self, number: int) -> None:
        """Tell the harness that everything up to this frame is stored."""
        self._acked = max(self._acked, number)
        self._send(Ack(n=self._acked))

    async def batches(self) -> AsyncIterator[FrameBatch]:
        """Frames as they arrive; never ends by itself. Asking for more says: those are stored."""
        while True:
            batch = await self._batches.get()
            try:
                yield batch
            finally:
                self._batches.task_done()

    async def hung_up(self) -> None:
        """Return when no connection is left: nothing more arrives of a harness that is gone."""
        while self._serving:
            await asyncio.wait(self._serving)

    async def taken(self) -> None:
        """Return when everything that has arrived is stored."""
        await self._batches.join()

    @property
    def starting(self) -> bool:
        """Whether the harness of a fresh slot has not spoken yet."""
        return self._claim is not None and not self.claimed.is_set()

    def silent_seconds(self) -> float:
        """How long nothing has been heard from the harness.

        0 while what it sent waits to be stored: it is not read then, which is not its silence.
        """
        return 0.0 if self._waiting else time.monotonic() - self.heard_at

    # ------------------------------------------------------------------ connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        try:
            if not self._closed and await self._is_admitted(writer):
                await self._converse(reader, writer)
        except asyncio.CancelledError:
            # `close` ends it: a task of the stream server that ends as cancelled is logged as
            # an error by Python 3.11.
            pass
        except (ProtocolError, OSError, ValueError):
            # A broken or forged stream ends this connection only: the true harness comes back.
            pass
        finally:
            if self._writer is writer:
                self._writer = None
            writer.close()

    async def _is_admitted(self, writer: asyncio.StreamWriter) -> bool:
        if self._peers is None or await self._peers.may_claim(writer.get_extra_info("socket")):
            return True
        if not self._warned:
            self._warned = True
            slot = self._folders.root.name
            log.warning("%s: a process outside of the container tried to open its channel", slot)
        return False

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = harness_decoder()
        first, *rest = await self._first_frames(reader, writer, decoder)
        if not self._admit(first[1], writer):
            return
        await self._accept(rest)
        while batch := await _read(reader, decoder):
            await self._accept(batch)

    async def _first_frames(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        decoder: Decoder[FromHarness],
    ) -> Sequence[tuple[int | None, FromHarness]]:
        """What a stranger says first. Strangers are few at a time: the true one is quick."""
        self._strangers.append(writer)
        if len(self._strangers) > _STRANGERS:
            self._strangers.pop(0).close()
        try:
            return await asyncio.wait_for(_read(reader, decoder), _HELLO_SECONDS)
        finally:
            if writer in self._strangers:
                self._strangers.remove(writer)

    def _admit(self, hello: FromHarness, writer: asyncio.StreamWriter) -> bool:
        known = isinstance(hello, Hello) and hello.version == VERSION and self._knows(hello)
        if not known or not isinstance(hello, Hello):
            writer.write(encode(Refused(reason="not the holder of this slot")))
            return False
        if self._writer is not None:
            self._writer.close()
        self._writer = writer
        self.heard_at = time.monotonic()
        self._welcome(hello)
        return True

    def _knows(self, hello: Hello) -> bool:
        if hello.session is not None and self._session is not None:
            return hmac.compare_digest(hello.session.encode(), self._session.encode())
        if hello.claim is None or self._claim is None or self._session is not None:
            return False
        return hmac.compare_digest(hello.claim.encode(), self._claim.encode())

    def _welcome(self, hello: Hello) -> None:
        if self._session is None:
            session = secrets.token_urlsafe(32)
            # On a full disk the claim stays open: the harness comes back.
            self._folders.write_session(session)
            self._session = session
            self._on_claimed()
        # What was read on an older connection and not yet acknowledged is sent again from
        # `acked`; `_accept` drops what it has already handed out.
        self._send(Welcome(session=self._session, acked=self._acked))
        self.claimed.set()
        if self._assign is not None and not hello.assigned:
            self._send(self._assign)
        if self._cancel is not None:
            self._send(self._cancel)

    async def _accept(self, frames: Sequence[tuple[int | None, FromHarness]]) -> None:
        self._waiting += 1
        try:
            # One at a time: a new connection must not overtake an older one that still waits
            # for room in the queue.
            async with self._turn:
                await self._hand_out(frames)
        finally:
            self._waiting -= 1
            self.heard_at = time.monotonic()

    async def _hand_out(self, frames: Sequence[tuple[int | None, FromHarness]]) -> None:
        batch: list[tuple[int, Frame]] = []
        try:
            for number, frame in frames:
                if number is None or number <= self._seen:
                    continue
                if number != self._seen + 1:
                    raise ProtocolError(f"frame {number} follows {self._seen}")
                if (whole := self._joined(frame)) is not None:
                    batch.append((number, whole))
                self._seen = number
        finally:
            # What was good before a gap counts as seen: it must come out, it is not taken again.
            if batch:
                await self._batches.put(batch)

    def _joined(self, frame: FromHarness) -> FromHarness | None:
        """The frame, a result with the parts that came before it, or None for such a part."""
        if isinstance(frame, ResultPart):
            size = self._parts_size + len(frame.text)
            if len(self._parts) >= _LARGEST_RESULT_PARTS or size > _LARGEST_RESULT_CHARACTERS:
                raise ProtocolError("a result of too many parts")
            self._parts.append(frame)
            self._parts_size = size
            return None
        if isinstance(frame, ResultFrame):
            frame, self._parts, self._parts_size = join_result(self._parts, frame), [], 0
        return frame

    def _send(self, frame: Frame) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(encode(frame))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            self._send(Heartbeat())


async def _read(
    reader: asyncio.StreamReader, decoder: Decoder[FromHarness]
) -> Sequence[tuple[int | None, FromHarness]]:
    """The next frames; empty at the end of the stream."""
    while data := await reader.read(_READ_BYTES):
        if frames := decoder.feed(data):
            return frames
    return ()
