"""Talks to llama.cpp's HTTP server over its Unix socket."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import aiohttp

from .errors import ApiError
from .json_values import JsonObject
from .translate import EngineCall, Piece, engine_error, read_piece

_BASE = "http://engine"  # the host part is not used over a Unix socket
_DATA = b"data:"
_ERROR = b"error:"
_DONE = b"[DONE]"


class Upstream:
    """A client of llama.cpp's server. Use as an async context manager; safe for many at once."""

    def __init__(self, socket: Path) -> None:
        """`socket` is where llama.cpp listens."""
        # One connection per request: llama.cpp holds a thread for every idle connection.
        connector = aiohttp.UnixConnector(str(socket), limit=0, force_close=True)
        # Waiting for a free slot may take minutes; the caller's own time limit ends it.
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=None)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str) -> JsonObject:
        """The JSON object at `path`. Raises `ApiError` for an error answer."""
        return await self._object("GET", path, None)

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        """The JSON object that answers `body`. Raises `ApiError` for an error answer."""
        return await self._object("POST", path, body)

    @asynccontextmanager
    async def generate(self, call: EngineCall) -> AsyncGenerator[AsyncIterator[Piece]]:
        """The pieces of one generation, in order.

        Entering raises `ApiError` when llama.cpp refuses; it succeeds when the first token is
        there. Leaving before the end cancels the generation.
        """
        async with self.forward(call.path, call.body) as response:
            if response.status >= 400:
                raise engine_error(response.status, await _json(response))
            yield _pieces(response)

    @asynccontextmanager
    async def forward(self, path: str, body: JsonObject) -> AsyncGenerator[aiohttp.ClientResponse]:
        """llama.cpp's answer as it is, errors included. Leaving early cancels the generation."""
        response = await self._send("POST", path, body)
        try:
            yield response
        finally:
            response.close()

    async def _send(
        self, method: str, path: str, body: JsonObject | None
    ) -> aiohttp.ClientResponse:
        try:
            return await self._session.request(method, f"{_BASE}{path}", json=body)
        except aiohttp.ClientError as error:
            raise _unreachable(error) from error

    async def _object(self, method: str, path: str, body: JsonObject | None) -> JsonObject:
        response = await self._send(method, path, body)
        try:
            answer = await _json(response)
        finally:
            response.close()
        if response.status >= 400:
            raise engine_error(response.status, answer)
        return answer


async def read_blocks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The bytes of a forwarded answer as they come. Raises `ApiError` when it breaks off."""
    try:
        async for block in response.content.iter_any():
            yield block
    except aiohttp.ClientError as error:
        raise _unreachable(error) from error


def read_line(line: bytes) -> JsonObject | None:
    """The object in one line of llama.cpp's event stream; None when the line carries none.

    An error after the first token comes as a line of its own that starts with `error:`.
    """
    line = line.strip()
    if line.startswith(_ERROR):
        return {"error": _object(line[len(_ERROR) :])}
    if not line.startswith(_DATA):
        return None
    data = line[len(_DATA) :].strip()
    return None if data == _DONE else _object(data)


def _object(data: bytes) -> JsonObject:
    try:
        value: object = json.loads(data)
    except ValueError as error:
        raise ApiError(500, "the inference engine sent something that is not JSON") from error
    return cast("JsonObject", value) if isinstance(value, dict) else {}


async def _json(response: aiohttp.ClientResponse) -> JsonObject:
    try:
        return _object(await response.read())
    except aiohttp.ClientError as error:
        raise _unreachable(error) from error


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[Piece]:
    try:
        async for line in response.content:
            event = read_line(line)
            if event is not None:
                yield read_piece(event)
    except aiohttp.ClientError as error:
        raise _unreachable(error) from error


def _unreachable(error: aiohttp.ClientError) -> ApiError:
    return ApiError(500, f"the inference engine does not answer: {error}")
