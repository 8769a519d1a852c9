"""CONNECT: tunnels to the hosts that a test may reach besides its model.

Only TLS goes through, only to the host and port that the test names, and only when the TLS
client asks for that very host: otherwise an allowed name would be a door to any name that is
served at its address.
"""

from __future__ import annotations

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seatrial.domain import inside_addresses
from seatrial.domain.ports import DoorSpec
from seatrial.domain.record import HOST_REFUSED, HOST_UNREACHABLE, HOST_USED

from . import addresses, tls
from .admission import shown
from .budget import Budget, BudgetSpent
from .journal import DoorJournal

HEAD_SECONDS = 10.0
"""Time for the CONNECT head and, after it, for the ClientHello."""

CONNECT_SECONDS = 10.0

_MAX_HEAD = 16 * 1024
_CHUNK = 64 * 1024
_REQUEST = re.compile(rb"CONNECT ([A-Za-z0-9._:\[\]-]{1,260}):([0-9]{1,5}) HTTP/1\.[01]")
_PLAIN_URL = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?(?:[/?#]|$)"
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass
class Traffic:
    """What went through to one host, in bytes as the agent sees them."""

    connections: int = 0
    sent: int = 0
    received: int = 0


class _Refused(Exception):
    """Nothing goes through. `notice` is the code under which the journal hears of it."""

    def __init__(
        self,
        status: str,
        message: str,
        notice: str = "",
        host: str = "",
        port: int = 0,
        *,
        may_be_added: bool = False,
    ) -> None:
        """`may_be_added` says that the host could be reached if the test listed it."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.notice = notice
        self.host = host
        self.port = port
        self.may_be_added = may_be_added

    def note(self, journal: DoorJournal) -> None:
        """Tell the journal, once per host and reason."""
        if not self.notice:
            return
        data: dict[str, str | int] = {"host": self.host, "port": self.port}
        if self.may_be_added:
            data["add_egress"] = f"{self.host}:{self.port}"
        journal.add_notice(self.notice, self.message, self.message, data)


def plain_http_refused(url: str, journal: DoorJournal) -> str:
    """Why a proxy request for plain HTTP is answered 403; the journal is told once per host."""
    match = _PLAIN_URL.match(url)
    host = match[1].lower() if match else ""
    if match is None:
        return f"{shown(url)} was refused: a proxy request names a host, and only https passes.\n"
    if means := inside_addresses.meaning(host):
        port = int(match[2] or 80)
        message = (
            f"The agent tried to reach http://{host}:{port}: inside the container that is {means}."
        )
        _Refused("", message, HOST_REFUSED, host, port).note(journal)
        return f"{message}\n"
    if not _is_host(host, private=False):
        return f"{shown(url)} was refused: only https passes, and only to hosts with a name.\n"
    message = (
        f"The agent tried to reach http://{host}: only https passes, and only to hosts that the "
        f"test allows. Use https, and allow the host with --egress {host}:443."
    )
    _Refused("", message, HOST_REFUSED, host, 443, may_be_added=True).note(journal)
    return f"{message}\n"


class Egress:
    """The tunnels of one door."""

    def __init__(self, spec: DoorSpec, journal: DoorJournal, budget: Budget) -> None:
        self._allowed = frozenset((host.lower(), port) for host, port in spec.egress)
        self._may_be_private = spec.egress_may_be_private
        self._journal = journal
        self._budget = budget
        self._traffic: dict[tuple[str, int], Traffic] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def traffic(self) -> Mapping[tuple[str, int], Traffic]:
        """What went through so far, by host and port."""
        return self._traffic

    def start(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve a connection whose first bytes are CONNECT, until it ends."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cut every tunnel and note what went through them."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))
        for (host, port), seen in self._traffic.items():
            message = (
                f"{host}:{port}: {seen.connections} connections, "
                f"{seen.sent} bytes sent, {seen.received} bytes received."
            )
            data = {"host": host, "port": port, "bytes": seen.sent + seen.received}
            self._journal.add_notice(HOST_USED, f"{host}:{port}", message, data)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await self._tunnel(reader, writer)
        except _Refused as refused:
            refused.note(self._journal)
            if refused.status:
                writer.write(_answer(refused.status, refused.message))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass  # the agent went away, or sent no proper head in time
        finally:
            writer.close()

    async def _tunnel(self, reader: StreamReader, writer: StreamWriter) -> None:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        host, port = self._target(head)
        spent = self._budget.spent_traffic()
        if spent is not None:
            raise _Refused("403 Traffic of this test is used up", spent[1])
        near = (reader, writer)
        far = await self._dial(host, port)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            hello = await self._checked_hello(host, port, near)
            traffic = self._traffic.setdefault((host, port), Traffic())
            traffic.connections += 1
            self._count(traffic, sent=len(hello))
            far[1].write(hello)
            await self._join(near, far, traffic)
        except BudgetSpent:
            pass  # the journal was told; both connections end
        finally:
            far[1].close()

    def _target(self, head: bytes) -> tuple[str, int]:
        """The host and port of a well-formed and allowed CONNECT."""
        line = head.partition(b"\r\n")[0]
        match = _REQUEST.fullmatch(line)
        if match is None or len(head) > _MAX_HEAD:
            raise _Refused("400 Bad Request", "CONNECT needs host:port.")
        host, port = match[1].decode("ascii").lower(), int(match[2])
        if (host, port) not in self._allowed or not _is_host(host, private=self._may_be_private):
            raise _not_listed(host, port)
        return host, port

    async def _dial(self, host: str, port: int) -> tuple[StreamReader, StreamWriter]:
        try:
            found = await addresses.resolve(
                host.strip("[]"), port, may_be_private=self._may_be_private
            )
        except addresses.AddressRefused as refused:
            message = f"{host}:{port} was refused: {refused}. Tests may not reach such addresses."
            raise _forbidden(host, port, message) from None
        except (OSError, UnicodeError) as error:
            raise _unreachable(host, port, f"its name cannot be resolved ({error})") from None
        problem = "no address answered"
        for address in found:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(address, port)
            except OSError as error:
                problem = str(error) or "no answer in time"
        raise _unreachable(host, port, problem)

    async def _checked_hello(
        self, host: str, port: int, near: tuple[StreamReader, StreamWriter]
    ) -> bytes:
        """The first bytes from the agent, once they are a ClientHello that names the host."""
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                data, hello = await _read_hello(near[0])
            name = tls.server_name(hello)
        except tls.NotTls as error:
            message = f"A connection to {host}:{port} was cut: only TLS passes ({error})."
            raise _cut(host, port, message) from None
        wanted = None if _is_literal(host) else host
        if (name.lower() if name else None) != wanted:
            near[1].write(tls.UNRECOGNIZED_NAME)
            message = (
                f"A connection to {host}:{port} was cut: its TLS client asked for "
                f"{shown(name or 'no name')!r} instead of {host!r}."
            )
            raise _cut(host, port, message)
        return data

    async def _join(
        self,
        near: tuple[StreamReader, StreamWriter],
        far: tuple[StreamReader, StreamWriter],
        traffic: Traffic,
    ) -> None:
        """Pass bytes both ways until both sides have ended theirs, or one breaks.

        BudgetSpent when the test's traffic is used up; nothing over it passes.
        """
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(near[0], far[1], lambda n: self._count(traffic, sent=n)))
                both.create_task(_copy(far[0], near[1], lambda n: self._count(traffic, received=n)))
        except* OSError:
            pass  # one side broke; the group has ended the other direction
        except* BudgetSpent:
            raise BudgetSpent from None

    def _count(self, traffic: Traffic, *, sent: int = 0, received: int = 0) -> None:
        self._budget.add_bytes(sent + received)
        traffic.sent += sent
        traffic.received += received


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _is_host(host: str, *, private: bool) -> bool:
    """A name as DNS writes it; an address only where private hosts may be reached."""
    return private if _is_literal(host) else _HOST.fullmatch(host) is not None


def _not_listed(host: str, port: int) -> _Refused:
    reached = f"The agent tried to reach {host}:{port}, which this test does not allow."
    if _is_host(host, private=False):
        message = f"{reached} Allow it with --egress {host}:{port}."
        return _forbidden(host, port, message, may_be_added=True)
    message = f"{reached} An address cannot be allowed; name the host with --egress HOST:PORT."
    return _forbidden(host, port, message)


def _forbidden(host: str, port: int, message: str, *, may_be_added: bool = False) -> _Refused:
    # Most clients show the status line and nothing else of a proxy's answer.
    status = f"403 {host}:{port} is not allowed by this test"
    return _Refused(status, message, HOST_REFUSED, host, port, may_be_added=may_be_added)


def _unreachable(host: str, port: int, why: str) -> _Refused:
    message = f"{host}:{port} is allowed but could not be reached: {why}."
    return _Refused("502 Bad Gateway", message, HOST_UNREACHABLE, host, port)


def _cut(host: str, port: int, message: str) -> _Refused:
    """Refused after the 200: there is no status line any more."""
    return _Refused("", message, HOST_REFUSED, host, port)


def _answer(status: str, message: str) -> bytes:
    body = f"{message}\n".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _read_hello(reader: StreamReader) -> tuple[bytes, bytes]:
    """Everything read so far, and the ClientHello in it."""
    data = b""
    while (hello := tls.client_hello(data)) is None:
        chunk = await reader.read(_CHUNK)
        if not chunk and not data:
            raise ConnectionAbortedError("the agent went away")
        if not chunk:
            raise tls.NotTls("it ended before its ClientHello")
        data += chunk
        if len(data) > 2 * tls.MAX_HELLO:
            raise tls.NotTls("the ClientHello is too long")
    return data, hello


async def _copy(reader: StreamReader, writer: StreamWriter, count: Callable[[int], None]) -> None:
    while chunk := await reader.read(_CHUNK):
        count(len(chunk))
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
