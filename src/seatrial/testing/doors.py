"""A door with what a container has around it: a loopback port that leads to its socket."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.ports import DoorSpec, Upstream
from seatrial.domain.recording_ports import Recorder
from seatrial.domain.recordings import RecordedCall, Replay, packed, unpacked
from seatrial.gateway.door import SocketDoor
from seatrial.gateway.gateway import SocketGateway
from seatrial.gateway.scrub import KnownSecrets

from .relays import local_relay

KEY = "sk-canary-5d1c9a7e4b"
"""The real key: it must never be in a byte that the container's side gets."""


@dataclass
class Reports:
    """What a door reported, in order. `call` and `notice` wait for the next of each."""

    all: list[ModelCallEvent | NoticeEvent] = field(
        default_factory=list["ModelCallEvent | NoticeEvent"]
    )
    _calls: asyncio.Queue[ModelCallEvent] = field(default_factory=asyncio.Queue[ModelCallEvent])
    _notices: asyncio.Queue[NoticeEvent] = field(default_factory=asyncio.Queue[NoticeEvent])

    async def take(self, event: ModelCallEvent | NoticeEvent) -> None:
        """Keep the event; this is what a door reports to."""
        self.all.append(event)
        if isinstance(event, ModelCallEvent):
            self._calls.put_nowait(event)
        else:
            self._notices.put_nowait(event)

    async def call(self) -> ModelCallEvent:
        """The next call."""
        async with asyncio.timeout(10):
            return await self._calls.get()

    async def notice(self) -> NoticeEvent:
        """The next notice."""
        async with asyncio.timeout(10):
            return await self._notices.get()

    @property
    def calls(self) -> list[ModelCallEvent]:
        """The calls so far."""
        return [event for event in self.all if isinstance(event, ModelCallEvent)]


@dataclass
class Recorded:
    """A recorder that keeps what it gets."""

    limit_bytes: int = 2**20
    first_number: int = 1
    calls: list[RecordedCall] = field(default_factory=list[RecordedCall])
    problems: list[str] = field(default_factory=list[str])

    def add(self, call: RecordedCall) -> None:
        """See Recorder."""
        self.calls.append(call)

    def cut(self, reason: str) -> None:
        """See Recorder."""
        self.problems.append(reason)

    @property
    def replay(self) -> Replay:
        """To be answered from what was recorded, after a trip through the stored form."""
        stored = sorted((call.number, *packed(call)) for call in self.calls)
        return Replay(tuple(unpacked(*one) for one in stored))


@dataclass
class Container:
    """The container's side: its loopback URL, and every byte that it ever got."""

    door: SocketDoor
    reports: Reports
    socket_path: str
    url: str = ""
    got: bytearray = field(default_factory=bytearray)

    @property
    def openai(self) -> str:
        """The base URL for OpenAI's SDK."""
        return f"{self.url}/openai/v1"

    @property
    def ollama(self) -> str:
        """The base URL for Ollama's client."""
        return f"{self.url}/ollama"

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        """A connection of its own to the door."""
        return await asyncio.open_unix_connection(self.socket_path)

    async def ask(self, data: bytes) -> bytes:
        """Everything that comes back for these bytes until the door ends the connection."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            async with asyncio.timeout(10):
                answer = await reader.read(-1)
        except ConnectionResetError:
            answer = b""
        writer.close()
        self.got += answer
        return answer


@asynccontextmanager
async def container(
    gateway: SocketGateway,
    folder: Path,
    *upstreams: Upstream,
    egress: frozenset[tuple[str, int]] = frozenset(),
    private: bool = False,
    limits: DoorLimits | None = None,
    recorder: Recorder | None = None,
    replay: Replay | None = None,
    known: KnownSecrets | None = None,
    by_relay: bool = False,
    allow: tuple[str, ...] = (),
    secrets: Mapping[str, str] | None = None,
    received_ids: tuple[str, ...] = (),
) -> AsyncGenerator[Container]:
    """Open a door and a forwarder to it, as the harness does in a container.

    `by_relay`: between the two is what a relay container has inside.
    """
    reports = Reports()
    path = str(folder / f"gw{len(list(folder.iterdir()))}.sock")
    spec = DoorSpec(
        "t1",
        path,
        upstreams,
        egress,
        egress_may_be_private=private,
        limits=limits or DoorLimits(),
        recorder=recorder,
        replay=replay,
        known=known,
        allow=allow,
        secrets=secrets or {},
        received_ids=received_ids,
    )
    door = await gateway.open(spec, reports.take)
    async with AsyncExitStack() as stack:
        if by_relay:
            seen = folder / f"seen{len(list(folder.iterdir()))}"
            seen.mkdir()
            relay = await stack.enter_async_context(local_relay(seen, gateway=Path(path)))
            path = str(relay.gateway)
        async with _forwarded(Container(door, reports, path)) as inside:
            yield inside


@asynccontextmanager
async def _forwarded(inside: Container) -> AsyncGenerator[Container]:
    tasks: set[asyncio.Task[None]] = set()

    async def forward(reader: StreamReader, writer: StreamWriter) -> None:
        far_reader, far_writer = await inside.connect()
        out = asyncio.create_task(_copy(reader, far_writer, bytearray()))
        back = asyncio.create_task(_copy(far_reader, writer, inside.got))
        tasks.update((out, back))
        await asyncio.wait((out, back), return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        far_writer.close()
        await asyncio.wait((out, back))

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    inside.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield inside
    finally:
        server.close()
        await inside.door.close()


async def _copy(reader: StreamReader, writer: StreamWriter, seen: bytearray) -> None:
    try:
        while chunk := await reader.read(65536):
            seen += chunk
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
