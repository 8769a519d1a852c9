"""What a container must not reach, set up on the host for a self-test: ports, sockets, doors."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import tempfile
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

ENGINE_SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
)


@dataclass(frozen=True)
class Targets:
    """Addresses, ports and paths that exist now and answer whoever gets there."""

    addresses: Sequence[str]
    tcp: int
    udp: int
    word: str
    abstract: str
    door: str
    engines: Sequence[str]
    contacts: set[str]
    """What was reached, as this side saw it; emptied by whoever starts a new round."""

    def query(self, *, inside: bool) -> dict[str, object]:
        """What the probe is told."""
        return {
            "addresses": list(self.addresses),
            "tcp": self.tcp,
            "udp": self.udp,
            "word": self.word,
            "abstract": self.abstract,
            "doors": [self.door],
            "engines": list(self.engines) if inside else [],
            "inside": inside,
        }


@contextlib.asynccontextmanager
async def targets(engine_socket: str = "") -> AsyncGenerator[Targets]:
    """Listen on every address of the host, on an abstract socket and at a door of nobody."""
    word, contacts = secrets.token_hex(8), set[str]()
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="seatrial-"))
        Path(folder).chmod(0o711)
        door = f"{folder}/gateway.sock"
        tcp = await _listen_tcp(stack, contacts)
        udp = await _listen_udp(stack, contacts, word.encode())
        await _listen_unix(stack, door, "other tests' doors", contacts)
        Path(door).chmod(0o666)
        abstract = f"seatrial-self-test-{word}"
        await _listen_unix(stack, f"\0{abstract}", "abstract sockets", contacts)
        engines = tuple(filter(None, (*ENGINE_SOCKETS, engine_socket)))
        yield Targets(host_addresses(), tcp, udp, word, abstract, door, engines, contacts)


def host_addresses() -> Sequence[str]:
    """Every address of this machine, loopback and link-local ones too; Linux only tells more."""
    found = {"127.0.0.1", "::1"}
    last = ""
    for line in _lines("/proc/net/fib_trie"):
        if "|-- " in line:
            last = line.split("|-- ")[1].strip()
        elif "/32 host LOCAL" in line:
            found.add(last)
    for line in _lines("/proc/net/if_inet6"):
        digits, _, _, _, _, name = line.split()
        address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
        found.add(f"{address}%{name}" if address.startswith("fe80:") else address)
    return sorted(found)


def _lines(path: str) -> Sequence[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return ()


async def _listen_tcp(stack: contextlib.AsyncExitStack, contacts: set[str]) -> int:
    """One port on all addresses of both kinds."""

    def reached(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        contacts.add("host ports")
        writer.close()

    server = await asyncio.start_server(reached, host=None, port=0, family=socket.AF_INET)
    stack.callback(server.close)
    port = int(server.sockets[0].getsockname()[1])
    with contextlib.suppress(OSError):  # a kernel without IPv6
        second = await asyncio.start_server(reached, host="::", port=port, family=socket.AF_INET6)
        stack.callback(second.close)
    return port


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, word: bytes, contacts: set[str]) -> None:
        self._word, self._contacts = word, contacts

    def datagram_received(self, data: bytes, addr: object) -> None:
        if data == self._word:
            self._contacts.add("host ports over UDP")


async def _listen_udp(stack: contextlib.AsyncExitStack, contacts: set[str], word: bytes) -> int:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(word, contacts),
        local_addr=("0.0.0.0", 0),  # noqa: S104 - it is there to be found
    )
    stack.callback(transport.close)
    port = int(transport.get_extra_info("sockname")[1])
    with contextlib.suppress(OSError):
        second, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(word, contacts), local_addr=("::", port)
        )
        stack.callback(second.close)
    return port


async def _listen_unix(
    stack: contextlib.AsyncExitStack, path: str, name: str, contacts: set[str]
) -> None:
    def reached(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        contacts.add(name)
        writer.close()

    server = await asyncio.start_unix_server(reached, path)
    stack.callback(server.close)
