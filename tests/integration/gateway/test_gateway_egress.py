"""CONNECT leads to the hosts that the test names, and nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from gateway_doors import Container, container

from seatrial.domain.door_limits import DoorLimits
from seatrial.gateway import addresses, tls
from seatrial.gateway.gateway import SocketGateway

pytestmark = pytest.mark.spec("edge-6")


class Canary:
    """A server that echoes, and remembers that somebody came."""

    def __init__(self) -> None:
        self.port = 0
        self.visits = 0
        self.got = bytearray()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.visits += 1
        while chunk := await reader.read(65536):
            self.got += chunk
            writer.write(chunk)
            await writer.drain()
        writer.close()


@pytest.fixture
async def canary() -> AsyncGenerator[Canary]:
    canary = Canary()
    server = await asyncio.start_server(canary.serve, "127.0.0.1", 0)
    canary.port = server.sockets[0].getsockname()[1]
    yield canary
    server.close()


def hello_for(name: str | None) -> bytes:
    """What a real TLS client sends first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@asynccontextmanager
async def allowing(
    gateway: SocketGateway, folder: Path, host: str, port: int, *, private: bool = True
) -> AsyncGenerator[Container]:
    egress = frozenset({(host, port)})
    async with container(gateway, folder, egress=egress, private=private) as inside:
        yield inside


async def tunnel(inside: Container, target: str) -> tuple[bytes, StreamReader, StreamWriter]:
    reader, writer = await inside.connect()
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    async with asyncio.timeout(60):
        return await reader.readuntil(b"\r\n\r\n"), reader, writer


async def refused(inside: Container, target: str) -> bytes:
    head, _, writer = await tunnel(inside, target)
    writer.close()
    assert head.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))
    return head


@pytest.mark.parametrize("spelling", ["localhost", "LocalHost"])
async def test_an_allowed_host_is_reached_and_its_bytes_are_counted(
    gateway: SocketGateway, tmp_path: Path, canary: Canary, spelling: str
) -> None:
    async with allowing(gateway, tmp_path, "localhost", canary.port) as inside:
        head, reader, writer = await tunnel(inside, f"{spelling}:{canary.port}")
        assert head.startswith(b"HTTP/1.1 200 ")
        first = hello_for("localhost")
        async with asyncio.timeout(60):
            writer.write(first[:7])
            await writer.drain()
            writer.write(first[7:] + b"and more")
            writer.write_eof()
            echoed = await reader.read(-1)
        writer.close()
        assert echoed.endswith(b"and more")
        assert echoed == bytes(canary.got)
        await inside.door.close()
        traffic = inside.door.traffic["localhost", canary.port]
        assert (traffic.connections, traffic.sent, traffic.received) == (
            1,
            len(echoed),
            len(echoed),
        )
        assert (await inside.reports.notice()).code == "egress_used"


@pytest.mark.parametrize(
    "target",
    [
        "other.test:{port}",
        "127.0.0.1:{port}",
        "[::1]:{port}",
        "2130706433:{port}",
        "0x7f.1:{port}",
        "localhost.:{port}",
        "localhost:1",
        "localhost:0{port}0",
        "sub.localhost:{port}",
        "localhost.evil.test:{port}",
        "LOCALHOST.:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "[::ffff:7f00:1]:{port}",
        "[0:0:0:0:0:0:0:1]:{port}",
        "::1:{port}",
        "[fe80::1]:{port}",
        "127.1:{port}",
        "0177.0.0.1:{port}",
        "169.254.169.254:80",
        "[fd00:ec2::254]:80",
    ],
)
async def test_any_other_host_or_port_is_refused_with_one_notice(
    gateway: SocketGateway, tmp_path: Path, canary: Canary, target: str
) -> None:
    target = target.format(port=canary.port)
    async with allowing(gateway, tmp_path, "localhost", canary.port) as inside:
        heads = [await refused(inside, target) for _ in range(2)]
        await inside.door.close()
        assert canary.visits == 0
        assert len(inside.reports.all) == (1 if heads[0].startswith(b"HTTP/1.1 403 ") else 0)
        for notice in inside.reports.all:
            assert "--egress" in notice.message


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT localhost@other.test:%d HTTP/1.1",
        b"CONNECT user:pw@localhost:%d HTTP/1.1",
        b"CONNECT http://localhost:%d HTTP/1.1",
        b"CONNECT localhost:%d/path HTTP/1.1",
        b"CONNECT local\rhost:%d HTTP/1.1",
        b"CONNECT localhost\nHost: x:%d HTTP/1.1",
        b"CONNECT localhost%%00:%d HTTP/1.1",
        b"CONNECT local\x00host:%d HTTP/1.1",
        b"CONNECT  localhost:%d HTTP/1.1",
        b"CONNECT localhost:%d HTTP/2",
        b"CONNECT localhost:%d@other.test:443 HTTP/1.1",
        b"CONNECT localhost:%d\r\n\tfolded HTTP/1.1",
        b"CONNECT [fe80::1%%eth0]:%d HTTP/1.1",
        b"CONNECT localhost%%2e:%d HTTP/1.1",
        b"CONNECT localhost:%d",
        "CONNECT löcalhost:%d HTTP/1.1".encode(),
    ],
)
async def test_a_target_with_anything_else_in_it_is_refused(
    gateway: SocketGateway, tmp_path: Path, canary: Canary, line: bytes
) -> None:
    async with allowing(gateway, tmp_path, "localhost", canary.port) as inside:
        answer = await inside.ask(line % canary.port + b"\r\n\r\n" + hello_for("localhost"))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert canary.visits == 0


async def test_a_name_that_leads_to_a_private_address_is_refused(
    gateway: SocketGateway, tmp_path: Path, canary: Canary
) -> None:
    async with allowing(gateway, tmp_path, "localhost", canary.port, private=False) as inside:
        head, _, writer = await tunnel(inside, f"localhost:{canary.port}")
        writer.close()
        assert head.startswith(b"HTTP/1.1 403 ")
        assert "loopback" in (await inside.reports.notice()).message
        assert canary.visits == 0


class Resolver:
    """Answers for every name, with one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def lookup(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    resolver = Resolver()
    monkeypatch.setattr(addresses, "_lookup", resolver.lookup)
    return resolver


async def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_the_one_reached(
    gateway: SocketGateway, tmp_path: Path, canary: Canary, resolver: Resolver
) -> None:
    resolver.answers = [["127.0.0.1"], ["169.254.169.254"]]
    async with allowing(gateway, tmp_path, "rebinding.test", canary.port) as inside:
        target = f"rebinding.test:{canary.port}"
        head, _, writer = await tunnel(inside, target)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert (resolver.asked, canary.visits) == (["rebinding.test"], 1)
        writer.close()
        assert b"is not allowed" in await refused(inside, target)
        assert "metadata" in (await inside.reports.notice()).message
    assert canary.visits == 1


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "0.0.0.0"),
        *("10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fc00::1", "fec0::1", "::"),
        *("169.254.169.254", "fd00:ec2::254", "168.63.129.16", "fe80::1", "fe80::1%eth0"),
        *("224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
    ],
)
async def test_a_name_that_mixes_in_an_address_that_is_not_public_is_refused_whole(
    gateway: SocketGateway, tmp_path: Path, resolver: Resolver, address: str
) -> None:
    resolver.answers = [["93.184.215.14", address]]
    async with allowing(gateway, tmp_path, "mixed.test", 443, private=False) as inside:
        await refused(inside, "mixed.test:443")
        notice = await inside.reports.notice()
    assert notice.code == "egress_refused"
    assert "mixed.test resolves to" in notice.message
    assert "add_egress" not in notice.data


async def test_a_refused_host_stands_in_the_status_line_and_says_what_would_allow_it(
    gateway: SocketGateway, tmp_path: Path
) -> None:
    async with allowing(gateway, tmp_path, "a.test", 443) as inside:
        head = await refused(inside, "API.example.com:443")
        await refused(inside, "8.8.8.8:443")
        first, second = await inside.reports.notice(), await inside.reports.notice()
    assert b"api.example.com:443 is not allowed by this test" in head.splitlines()[0]
    assert first.data == {
        "host": "api.example.com",
        "port": 443,
        "add_egress": "api.example.com:443",
    }
    assert second.data == {"host": "8.8.8.8", "port": 443}


async def test_a_tunnel_is_cut_where_the_traffic_of_the_test_ends(
    gateway: SocketGateway, tmp_path: Path, canary: Canary
) -> None:
    egress, limits = frozenset({("localhost", canary.port)}), DoorLimits(bytes=5000)
    opened = container(gateway, tmp_path, egress=egress, private=True, limits=limits)
    async with opened as inside:
        _, reader, writer = await tunnel(inside, f"localhost:{canary.port}")
        first = hello_for("localhost")
        writer.write(first)
        async with asyncio.timeout(10):
            assert await reader.readexactly(len(first)) == first
            writer.write(b"x" * 9000)
            with suppress(ConnectionResetError):
                await reader.read(-1)
        writer.close()
        notice = await inside.reports.notice()
        head = await refused(inside, f"localhost:{canary.port}")
        await inside.door.close()
        traffic = inside.door.traffic["localhost", canary.port]
    assert notice.code == "limit.traffic"
    assert traffic.sent + traffic.received <= 5000
    assert len(canary.got) <= 5000
    assert b"403 Traffic of this test is used up" in head


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254"])
async def test_an_address_is_no_host_even_when_it_is_listed(
    gateway: SocketGateway, tmp_path: Path, canary: Canary, host: str
) -> None:
    async with allowing(gateway, tmp_path, host, canary.port, private=False) as inside:
        head, _, writer = await tunnel(inside, f"{host}:{canary.port}")
        writer.close()
        assert head.startswith(b"HTTP/1.1 403 ")
        assert canary.visits == 0


@pytest.mark.parametrize(
    ("name", "said"), [("other.test", "'other.test'"), (None, "'no name'"), ("localhost.", "asked")]
)
async def test_a_tls_client_that_asks_for_another_host_is_cut(
    gateway: SocketGateway, tmp_path: Path, canary: Canary, name: str | None, said: str
) -> None:
    async with allowing(gateway, tmp_path, "localhost", canary.port) as inside:
        _, reader, writer = await tunnel(inside, f"localhost:{canary.port}")
        writer.write(hello_for(name))
        async with asyncio.timeout(60):
            assert await reader.read(-1) == tls.UNRECOGNIZED_NAME
        writer.close()
        assert said in (await inside.reports.notice()).message
        assert canary.got == b""


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00"])
async def test_what_is_not_tls_is_cut(
    gateway: SocketGateway, tmp_path: Path, canary: Canary, first: bytes
) -> None:
    async with allowing(gateway, tmp_path, "localhost", canary.port) as inside:
        _, reader, writer = await tunnel(inside, f"localhost:{canary.port}")
        writer.write(first)
        async with asyncio.timeout(60):
            assert await reader.read(-1) == b""
        writer.close()
        assert "only TLS passes" in (await inside.reports.notice()).message
        assert canary.got == b""


@pytest.mark.parametrize("target", ["localhost:9", "name.invalid:443"])
async def test_an_allowed_host_that_is_not_there_is_a_502(
    gateway: SocketGateway, tmp_path: Path, target: str
) -> None:
    host, _, port = target.partition(":")
    async with allowing(gateway, tmp_path, host, int(port)) as inside:
        head, _, writer = await tunnel(inside, target)
        writer.close()
        assert head.startswith(b"HTTP/1.1 502 ")
        assert (await inside.reports.notice()).code == "egress_unreachable"


async def test_a_connect_after_another_request_is_not_smuggled(
    gateway: SocketGateway, tmp_path: Path, canary: Canary
) -> None:
    async with allowing(gateway, tmp_path, "localhost", canary.port) as inside:
        smuggled = f"CONNECT localhost:{canary.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        answer = await inside.ask(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled)
        assert answer.count(b"HTTP/1.1 403 ") == 2
        assert canary.visits == 0


async def test_closing_the_door_cuts_its_tunnels(
    gateway: SocketGateway, tmp_path: Path, canary: Canary
) -> None:
    async with allowing(gateway, tmp_path, "localhost", canary.port) as inside:
        _, reader, writer = await tunnel(inside, f"localhost:{canary.port}")
        first = hello_for("localhost")
        writer.write(first)
        async with asyncio.timeout(60):
            assert await reader.readexactly(len(first)) == first
            await inside.door.close()
            with suppress(ConnectionResetError):
                assert await reader.read(-1) == b""
        writer.close()
