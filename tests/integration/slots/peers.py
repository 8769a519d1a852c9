"""The container's end of a channel, as a script: a true harness or somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.harness.protocol import (
    VERSION,
    Ack,
    Assign,
    Begun,
    Entry,
    Exit,
    Frame,
    FromWorker,
    Hello,
    Log,
    Ready,
    Refused,
    Response,
    ResultFrame,
    ResultPart,
    Welcome,
    encode,
    worker_decoder,
)
from seatrial.slots.channel import Channel

SECONDS = 30.0
"""How long anything may take on a busy machine."""

EXIT = Exit(0, None, "exited", 1.0, 0.5, 9, None, 2, 0, 0, False, 5, 0, 0, "")
SCRIPT: tuple[Frame, ...] = (
    Ready("3.11", "x86_64"),
    Begun(7),
    Entry("agent.py:run", "", "name"),
    Log("stdout", "one\n"),
    Log("stderr", "x" * 70_000),
    Response("a"),
    ResultPart("response", "first "),
    ResultPart("response", "second "),
    ResultFrame("third", None, {}, None),
    Log("stdout", "bye\n"),
    EXIT,
)
"""The frames of a short life; number 7 and 8 come out with number 9."""

WHOLE: Mapping[int, Frame] = {
    number: frame
    for number, frame in enumerate(SCRIPT, start=1)
    if not isinstance(frame, ResultPart)
} | {9: ResultFrame("first second third", None, {}, None)}
"""What has to come out of the channel, by number."""

ASSIGN = Assign("agent", [], {}, None, "q", {}, 20_000, "python3", 9.0, 1024, 1024)


def wire(frames: Sequence[Frame], first: int) -> bytes:
    """Numbered frames as bytes."""
    return b"".join(encode(frame, number) for number, frame in enumerate(frames, start=first))


class Peer:
    """One connection to a channel's socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.heard: list[FromWorker] = []
        self._reader = reader
        self._decoder = worker_decoder()

    @classmethod
    async def connect(cls, path: Path) -> Peer:
        return cls(*await asyncio.open_unix_connection(path))

    @classmethod
    async def hello(cls, path: Path, **said: object) -> Peer:
        """Connect and say hello, as nobody unless told otherwise."""
        peer = await cls.connect(path)
        plain: dict[str, object] = {"claim": None, "session": None, "assigned": False}
        hello = {"version": VERSION, **plain, **said}
        peer.writer.write(encode(Hello(**hello)))  # pyright: ignore[reportArgumentType] - also wrong ones are said
        return peer

    async def hear(self) -> FromWorker | None:
        """The next frame that was not heard yet; None at the end of the connection."""
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    data = await self._reader.read(1)
                except ConnectionError:
                    return None
                if not data:
                    return None
                for _, frame in self._decoder.feed(data):
                    self.heard.append(frame)
                    return frame

    async def until_cut(self) -> list[FromWorker]:
        """Listen to the end of the connection."""
        while await self.hear() is not None:
            pass
        return self.heard

    def cut(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()


@dataclass
class Stored:
    """A worker that stores what a channel hands out, and checks every acknowledgement."""

    channel: Channel
    frames: list[tuple[int, Frame]] = field(default_factory=list[tuple[int, Frame]])
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def start(self) -> Stored:
        self.paused.set()
        self.task = asyncio.create_task(self._store())
        return self

    @property
    def last(self) -> int:
        return self.frames[-1][0] if self.frames else 0

    async def _store(self) -> None:
        async for batch in self.channel.batches():
            await self.paused.wait()
            self.frames += batch
            self.channel.ack(batch[-1][0])


@dataclass
class Harness:
    """The true one: keeps its session, and sends again what is not acknowledged."""

    path: Path
    claim: str
    stored: Stored
    script: Sequence[Frame] = SCRIPT
    session: str | None = None
    acked: int = 0
    peer: Peer | None = None

    async def connect(self, *, assigned: bool = True) -> Welcome:
        """Say hello and be welcomed."""
        claim = None if self.session else self.claim
        self.peer = await Peer.hello(
            self.path, claim=claim, session=self.session, assigned=assigned
        )
        welcome = await self.peer.hear()
        assert isinstance(welcome, Welcome)
        self.session = welcome.session
        self._note(welcome.acked)
        return welcome

    async def send(
        self, last: int, *, first: int | None = None, half_of_next: bool = False
    ) -> None:
        """Send from what is not acknowledged up to `last`."""
        first = self.acked + 1 if first is None else first
        data = wire(self.script[first - 1 : last], first)
        if half_of_next:
            data += (following := wire(self.script[last : last + 1], last + 1))[
                : len(following) // 2
            ]
        assert self.peer is not None
        self.peer.writer.write(data)
        await self.peer.writer.drain()

    async def until_acked(self, number: int) -> None:
        """Listen until everything up to this number is acknowledged."""
        assert self.peer is not None
        while self.acked < number:
            frame = await self.peer.hear()
            assert frame is not None, f"cut before {number} was acknowledged"
            assert not isinstance(frame, Refused)
            if isinstance(frame, Ack):
                self._note(frame.n)

    def cut(self) -> None:
        assert self.peer is not None
        self.peer.cut()

    def _note(self, acked: int) -> None:
        assert acked <= self.stored.last, "acknowledged what is not stored"
        assert acked >= self.acked, "took an acknowledgement back"
        self.acked = acked
