"""A relay's two ends without a container: bytes, halves, holds, crowds, and its own end."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from seatrial.domain.errors import PlatformError
from seatrial.harness import tunnel
from seatrial.slots.relay_link import RelayLink, connect
from seatrial.testing.relays import LocalRelay, local_relay

from .peers import SECONDS

pytestmark = pytest.mark.timeout(120)

Serve = Callable[[Callable[[Reader, Writer], Awaitable[None]]], Awaitable[LocalRelay]]
MUCH = 24 << 20
HELD = 4 << 20
"""More than a window and the kernel's buffers hold, much less than MUCH."""


@pytest.fixture
async def serve(short_folder: Path) -> AsyncIterator[Serve]:
    """Puts a gateway's socket behind a relay; both are gone at the end."""
    opened: list[tuple[asyncio.Server, AbstractAsyncContextManager[LocalRelay]]] = []

    async def put(handler: Callable[[Reader, Writer], Awaitable[None]]) -> LocalRelay:
        (short_folder / "seen").mkdir()
        server = await asyncio.start_unix_server(handler, short_folder / "host.sock")
        relay = local_relay(
            short_folder / "seen",
            gateway=short_folder / "host.sock",
            channel=short_folder / "host.sock",
            claim="token",
        )
        opened.append((server, relay))
        return await relay.__aenter__()

    yield put
    for server, relay in opened:
        await relay.__aexit__(None, None, None)
        server.close()


async def echo(reader: Reader, writer: Writer) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def until_stalled(writer: Writer, most: int) -> int:
    """Write until nobody takes anything for a while; how much that was."""
    written = 0
    piece = b"x" * 65536
    try:
        while written < most:
            writer.write(piece)
            async with asyncio.timeout(1.0):
                await writer.drain()
            written += len(piece)
    except TimeoutError:
        pass
    return written


async def test_every_byte_arrives_in_order_and_both_ends_are_told(serve: Serve) -> None:
    relay = await serve(echo)
    sent = os.urandom(MUCH)

    async def one() -> str:
        reader, writer = await asyncio.open_unix_connection(relay.gateway)

        async def send() -> None:
            for start in range(0, MUCH, 1 << 20):
                writer.write(sent[start : start + (1 << 20)])
                await writer.drain()
            writer.write_eof()

        _, got = await asyncio.gather(send(), reader.read(-1))
        writer.close()
        return hashlib.sha256(got).hexdigest()

    async with asyncio.timeout(SECONDS * 3):
        found = await asyncio.gather(one(), one())
    assert set(found) == {hashlib.sha256(sent).hexdigest()}


async def test_one_half_may_end_long_before_the_other(serve: Serve) -> None:
    async def answer_at_the_end(reader: Reader, writer: Writer) -> None:
        question = await reader.read(-1)
        writer.write(question[::-1])
        writer.close()

    relay = await serve(answer_at_the_end)
    reader, writer = await asyncio.open_unix_connection(relay.gateway)
    writer.write(b"abc")
    writer.write_eof()
    async with asyncio.timeout(SECONDS):
        assert await reader.read(-1) == b"cba"


async def test_a_client_that_goes_away_is_gone_for_the_gateway(serve: Serve) -> None:
    gone = asyncio.Event()

    async def stream(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        try:
            while True:
                writer.write(b"x" * 1000)
                await writer.drain()
                await asyncio.sleep(0)
        except OSError:
            gone.set()

    relay = await serve(stream)
    reader, writer = await asyncio.open_unix_connection(relay.gateway)
    writer.write(b"?")
    assert await reader.read(10)
    writer.transport.abort()
    await asyncio.wait_for(gone.wait(), SECONDS)


async def test_a_gateway_that_cuts_or_is_not_there_ends_the_clients_connection(
    serve: Serve, short_folder: Path
) -> None:
    async def cut(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.transport.abort()

    relay = await serve(cut)
    for _ in range(2):
        reader, writer = await asyncio.open_unix_connection(relay.gateway)
        writer.write(b"?")
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(ConnectionResetError):  # what it had sent was not read
                assert await reader.read(-1) == b""
        writer.close()
        (short_folder / "host.sock").unlink(missing_ok=True)


async def test_a_client_that_does_not_read_holds_up_nobody_else(serve: Serve) -> None:
    stalled: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def pour(reader: Reader, writer: Writer) -> None:
        if await reader.read(1) == b"?":
            stalled.set_result(await until_stalled(writer, MUCH))
        else:
            writer.write(b"fine")
            writer.close()

    relay = await serve(pour)
    _, lazy = await asyncio.open_unix_connection(relay.gateway, limit=1024)
    lazy.write(b"?")
    assert await asyncio.wait_for(stalled, SECONDS) < HELD
    reader, writer = await asyncio.open_unix_connection(relay.gateway)
    writer.write(b"!")
    assert await asyncio.wait_for(reader.read(-1), SECONDS) == b"fine"
    lazy.transport.abort()


async def test_a_gateway_that_does_not_read_makes_the_client_wait_alone(serve: Serve) -> None:
    go_on = asyncio.Event()
    counted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def lazy(reader: Reader, writer: Writer) -> None:
        if await reader.read(1) == b"!":
            writer.write(b"fine")
        else:
            await go_on.wait()
            counted.set_result(1 + len(await reader.read(-1)))
        writer.close()

    relay = await serve(lazy)
    _, eager = await asyncio.open_unix_connection(relay.gateway)
    eager.write(b"?")
    written = await until_stalled(eager, MUCH)
    assert written < HELD
    reader, writer = await asyncio.open_unix_connection(relay.gateway)
    writer.write(b"!")
    assert await asyncio.wait_for(reader.read(-1), SECONDS) == b"fine"
    go_on.set()
    eager.write_eof()
    assert await asyncio.wait_for(counted, SECONDS) >= written


async def test_thousands_of_connections_come_and_go(serve: Serve) -> None:
    relay = await serve(echo)
    turn = asyncio.Semaphore(250)

    async def one(number: int) -> bool:
        async with turn:
            reader, writer = await asyncio.open_unix_connection(sock=await connect(relay.gateway))
            writer.write(b"%d" % number)
            writer.write_eof()
            got = await reader.read(-1)
            writer.close()
            return got == b"%d" % number

    async with asyncio.timeout(SECONDS * 3):
        assert all(await asyncio.gather(*[one(number) for number in range(2000)]))


async def test_a_crowd_at_the_door_is_turned_away_and_leaves_room_at_the_channel(
    serve: Serve,
) -> None:
    relay = await serve(echo)

    async def stays() -> Writer | None:
        reader, writer = await asyncio.open_unix_connection(relay.gateway)
        try:
            writer.write(b"x")
            if await reader.read(1):
                return writer
        except OSError:
            pass
        writer.close()
        return None

    async with asyncio.timeout(SECONDS):
        crowd = [await stays() for _ in range(300)]
        inside = [writer for writer in crowd if writer is not None]
        assert len(inside) == 280
        reader, channel = await asyncio.open_unix_connection(relay.channel)
        channel.write(b"!")
        assert await reader.read(1) == b"!"
        for writer in (*inside, channel):
            writer.transport.abort()
        while await stays() is None:
            pass


async def test_the_claim_is_gone_before_the_channel_answers(serve: Serve) -> None:
    async def trade(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        relay.link.forget_claim()
        writer.write(b"welcome")
        writer.close()

    relay = await serve(trade)
    assert relay.claim.read_text() == "token"
    assert relay.channel.stat().st_mode & 0o777 == 0o600
    assert relay.gateway.stat().st_mode & 0o777 == 0o666
    assert relay.folder.stat().st_mode & 0o777 == 0o711
    reader, writer = await asyncio.open_unix_connection(relay.channel)
    writer.write(b"?")
    assert await asyncio.wait_for(reader.read(1), SECONDS) == b"w"
    assert not relay.claim.exists()


async def test_a_relay_that_dies_is_lost_with_all_its_connections(serve: Serve) -> None:
    ended = asyncio.Event()

    async def wait(reader: Reader, writer: Writer) -> None:
        writer.write(b"here")
        await reader.read(-1)
        ended.set()
        writer.close()

    relay = await serve(wait)
    reader, _ = await asyncio.open_unix_connection(relay.gateway)
    assert await reader.read(4) == b"here"
    relay.process.send_signal(signal.SIGKILL)
    async with asyncio.timeout(SECONDS):
        assert await relay.link.lost == "it ended"
        await ended.wait()
        assert await reader.read(-1) == b""


async def test_a_relay_ends_with_its_pipe_and_with_a_silent_worker(short_folder: Path) -> None:
    for silent, code in ((False, 0), (True, 3)):
        folder = short_folder / f"seen{code}"
        folder.mkdir()
        async with local_relay(folder, silence_seconds=3.0) as relay:
            if silent:
                heart = relay.link._tasks[2]  # pyright: ignore[reportPrivateUsage] - to stop it
                heart.cancel()
            else:
                await relay.link.close()
            assert await asyncio.wait_for(relay.process.wait(), SECONDS) == code


async def test_a_relay_that_cannot_serve_says_why(short_folder: Path) -> None:
    with pytest.raises(PlatformError, match="did not start: it ended"):
        async with local_relay(short_folder / "nowhere"):
            pass


@pytest.mark.parametrize(
    "said",
    [
        tunnel.encode(tunnel.SERVE),
        tunnel.encode(tunnel.OPEN, 1, b"/etc/passwd"),
        tunnel.encode(tunnel.OPEN, 1, tunnel.GATEWAY) * 2,
        tunnel.encode(tunnel.OPEN, 1, tunnel.GATEWAY) + tunnel.encode(tunnel.CREDIT, 1, b"x"),
        tunnel.encode(tunnel.OPEN, 1, tunnel.GATEWAY)
        + tunnel.encode(tunnel.DATA, 1, b"x" * tunnel.PIECE_BYTES) * 5,
        b"\xff" * 100,
    ],
    ids=["orders", "another path", "twice", "credit", "too much", "noise"],
)
async def test_a_relay_that_speaks_nonsense_is_lost(short_folder: Path, said: bytes) -> None:
    class Nonsense:
        """A pipe on which that was said."""

        async def read(self) -> bytes:
            nonlocal said
            if said:
                whole, said = said, b""
                return whole
            await asyncio.Event().wait()
            return b""

        async def write(self, data: bytes) -> None: ...

        async def close(self) -> None: ...

    link = RelayLink(Nonsense(), {tunnel.GATEWAY: short_folder / "nobody.sock"})
    assert "nonsense" in await asyncio.wait_for(link.lost, SECONDS)
    await link.close()
