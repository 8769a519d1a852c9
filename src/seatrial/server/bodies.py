"""What of a request's body is taken: after the caller is known, up to a size, in time."""

from __future__ import annotations

import asyncio
import contextlib
import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

MAX_BODY_BYTES = 4_000_000
"""Room for 1 MB of code with its JSON escapes."""
SMALL_BODY_BYTES = 64 * 1024
"""The most for every route that takes no code."""
MAX_TOKENS = 10_000
"""Strings, commas and brackets of a JSON body. 1,000 files are 3,000 of them."""
BODY_SECONDS = 60.0
_SPARE_BYTES = 16_000_000
_SPARE_SECONDS = 5.0
"""What is read of a known caller's too large body and thrown away, so that the answer arrives: a
connection that is closed while its sender still sends is reset."""

CLOSE = {"Connection": "close"}
"""For an answer before the body's end: otherwise the rest would be read, to be thrown away."""

_LARGE = re.compile(r"/api/v1/(validate|tests|tests/[A-Za-z0-9_-]{1,64}/retry)", re.ASCII)
# A string may end with the piece of the body that is read; a backslash there escapes what follows.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:(")|(\\)?\Z)|[,\[{]', re.DOTALL)
_REST_OF_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+(?:(")|(\\)?\Z)', re.DOTALL)


def has_body(headers: Headers) -> bool:
    """Whether the request announces a body."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def most_bytes(method: str, path: str) -> int:
    """How large a body that route takes."""
    return MAX_BODY_BYTES if method == "POST" and _LARGE.fullmatch(path) else SMALL_BODY_BYTES


def too_large(most: int) -> str:
    """What is said of a larger one."""
    shown = "4 MB" if most == MAX_BODY_BYTES else f"{most // 1024} KB"
    return f"The body is too large; the limit is {shown} ({most:,} bytes)."


class TokenCount:
    """Counts a JSON text's tokens piece by piece, without building anything of it.

    A parser makes an object of each: a body of a few megabytes may hold millions.
    """

    def __init__(self) -> None:
        """None yet, outside of any string."""
        self.count = 0
        self._in_string = False
        self._escaped = False

    def feed(self, data: bytes) -> bool:
        """Read on; whether there are still at most `MAX_TOKENS`."""
        at = self._leave_string(data) if self._in_string else 0
        if at >= len(data):
            return True
        for found in _TOKEN.finditer(data, at):
            self.count += 1
            if self.count > MAX_TOKENS:
                return False
            if found[0].startswith(b'"') and found[1] is None:
                self._in_string, self._escaped = True, found[2] is not None
        return True

    def _leave_string(self, data: bytes) -> int:
        """Where the string that began in an earlier piece ends, or the piece."""
        found = _REST_OF_STRING.match(data, 1 if self._escaped else 0)
        if not data or found is None:
            return len(data)
        self._in_string, self._escaped = found[1] is None, found[2] is not None
        return found.end()


def limited(receive: Receive, most: int) -> Receive:
    """The same body, held to its limits while it comes: its announced length may be a lie.

    Raises: HTTPException (413, 408).
    """
    tokens = TokenCount()
    size, whole = 0, False
    until = asyncio.get_running_loop().time() + BODY_SECONDS

    async def receive_less() -> Message:
        nonlocal size, whole
        if whole:
            return await receive()
        message = await _in_time(receive, until)
        body = message.get("body", b"")
        size += len(body)
        whole = not message.get("more_body", False)
        if size > most:
            await discard_rest(receive, most, message)
            raise HTTPException(413, too_large(most), CLOSE)
        if not tokens.feed(body):
            await discard_rest(receive, most, message)
            detail = f"The body holds too many values; the limit is {MAX_TOKENS:,}."
            raise HTTPException(413, detail, CLOSE)
        return message

    return receive_less


async def discard_rest(receive: Receive, most: int, message: Message | None = None) -> None:
    """Read what is left of a refused body, up to a size and a time. Only where code is taken."""
    left = _SPARE_BYTES if most == MAX_BODY_BYTES else 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SPARE_SECONDS):
            while left > 0 and (message is None or message.get("more_body", False)):
                message = await receive()
                left -= len(message.get("body", b""))


async def _in_time(receive: Receive, until: float) -> Message:
    try:
        async with asyncio.timeout_at(until):
            return await receive()
    except TimeoutError as error:
        detail = f"The body did not come within {BODY_SECONDS:.0f} s."
        raise HTTPException(408, detail, CLOSE) from error
