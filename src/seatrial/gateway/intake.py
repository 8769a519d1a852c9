"""Reading of calls' bodies: bounded in time and memory, and only what can mean one thing."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from .admission import BAD_REQUEST, Body, ModelFields, Refusal
from .bodies import Path, TooComplex, Turns, Unreadable, Value, Visit
from .providers.base import NO_BODY, Operation
from .watch import Refused

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a request's body."""

MAX_HELD = 2 * MAX_BODY
"""Bytes of all bodies that one door holds; further calls wait."""

STALL_SECONDS = 30.0
"""Time for the next bytes of a body."""

BODY_SECONDS = 120.0
"""Time for a whole body. A container is on the same machine."""

NO_OBJECT = "The call's body is not a JSON object."

_ONCE = ("Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Host")
_CHARSET = re.compile(r";\s{0,8}charset\s{0,8}=", re.ASCII | re.IGNORECASE)
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class BodyMemory:
    """The bytes that one door may hold for bodies, given out in order of arrival."""

    def __init__(self, total: int = MAX_HELD) -> None:
        self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Return when that many bytes are free; they belong to the caller until `give`."""
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(size)
            else:
                self._waiting.remove(entry)
                self.give(0)
            raise

    def give(self, size: int) -> None:
        """Bytes are free again."""
        self._free += size
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= wanted
                turn.set_result(None)


class Intake:
    """Reads the bodies of one door's calls."""

    def __init__(self, turns: Turns) -> None:
        """`turns` are shared by all doors of an event loop."""
        self._turns = turns
        self._memory = BodyMemory()

    @asynccontextmanager
    async def body(self, request: web.BaseRequest) -> AsyncGenerator[bytes]:
        """The request's body, held until the block ends.

        Raises: Refused.
        """
        check_headers(request.headers)
        known = request.content_length if request.body_exists else 0
        if (known or 0) > MAX_BODY:
            raise Refused(_too_large())
        held = MAX_BODY if known is None else known
        await self._memory.take(held)
        try:
            body = await _read(request)
            if len(body) > MAX_BODY:
                raise Refused(_too_large())
            if body and request.method in {"GET", "HEAD"}:
                raise Refused(_bad(400, f"A {request.method} call has no body."))
            self._memory.give(held - len(body))
            held = len(body)
            yield body
        finally:
            self._memory.give(held)

    async def models(self, operation: Operation, body: bytes, also: Visit) -> Body:
        """What the body says of the model, read once and in slices; `also` visits it, too."""
        if not body and operation.body is NO_BODY:
            return Body()
        fields = ModelFields(operation)

        def visit(path: Path, value: Value) -> None:
            fields.visit(path, value)
            also(path, value)

        try:
            await self._turns.visit(body, visit)
        except Unreadable:
            return Body(problem=NO_OBJECT)
        except TooComplex as error:
            return Body(problem=str(error))
        return fields.body


def check_headers(given: CIMultiDictProxy[str] | CIMultiDict[str]) -> None:
    """Refuse headers by which a server might read another body than the gateway.

    Raises: Refused.
    """
    for name in _ONCE:
        if len(given.getall(name, [])) > 1:
            raise Refused(_bad(400, f"The call has the header {name} more than once."))
    codings = given.get("Content-Encoding", "").lower().split(",")
    if any(coding.strip() not in {"", "identity"} for coding in codings):
        raise Refused(_bad(415, "Compressed calls cannot be checked; send the body as it is."))
    _, *charsets = _CHARSET.split(given.get("Content-Type", ""))
    for charset in charsets:
        if charset.partition(";")[0].strip().strip("\"'").lower() not in _UTF8:
            raise Refused(_bad(415, "The call's body is not in UTF-8. Send JSON in UTF-8."))


async def _read(request: web.BaseRequest) -> bytes:
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    if request.content.is_eof():
        return await request.content.read()  # all of it is here, as nearly always
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while chunk := await _next_chunk(request):
                body += chunk
                if len(body) > MAX_BODY:
                    break
    except web.RequestPayloadError:
        raise Refused(_bad(400, "The call's body is not valid HTTP.")) from None
    except TimeoutError:
        text = "The call's body did not arrive in time. Send it without pauses."
        raise Refused(_bad(400, text)) from None
    return bytes(body)


async def _next_chunk(request: web.BaseRequest) -> bytes:
    """The bytes that arrived next, empty at the end."""
    async with asyncio.timeout(STALL_SECONDS):
        return await request.content.readany()


def _too_large() -> Refusal:
    return _bad(413, f"The call is larger than {MAX_BODY // 2**20} MiB.")


def _bad(status: int, message: str) -> Refusal:
    return Refusal(status, "invalid_request", message, BAD_REQUEST)
