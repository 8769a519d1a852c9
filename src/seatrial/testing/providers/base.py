"""What all scripted services have in common: a real HTTP server with modes and a memory."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from aiohttp import web
from multidict import CIMultiDict

from .modes import ERRORS, LOADING_SECONDS, Mode, cued
from .wire import SCRIPTED, json_answer


@dataclass(frozen=True)
class SeenRequest:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query, as it was written."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @cached_property
    def cue(self) -> Mode | None:
        """The mode that this call asks for, see `modes.cue`."""
        return cued(self.body)


@dataclass(frozen=True)
class Departure:
    """A caller went away before its answer ended, `at` that time of day in seconds."""

    seen: SeenRequest
    at: float


class ScriptedProvider(ABC):
    """What all services have in common. Start it as an async context manager."""

    def __init__(self, models: tuple[str, ...] = ("scripted:latest",)) -> None:
        """`models` is what it lists; it answers for any."""
        self.models = models
        self.mode = Mode.OK
        self.error_headers: dict[str, str] = {}
        """What its errors have in their headers besides, such as Retry-After."""
        self.requests: list[SeenRequest] = []
        self.release = asyncio.Semaphore(0)
        """Lets one more piece of a gated stream through each time."""
        self.arrived = asyncio.Event()
        """A request is here."""
        self.abandoned = asyncio.Event()
        """The caller went away before its answer ended."""
        self.departures: list[Departure] = []
        """Every such call."""
        self.at_once = 0
        """Calls that are being answered now."""
        self.most_at_once = 0
        self._runner: web.ServerRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen on a free port of the loopback address."""
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and cut what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read(-1)
        seen = SeenRequest(request.method, request.raw_path, CIMultiDict(request.headers), body)
        self.requests.append(seen)
        self.arrived.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._by_mode(request, seen)
        except asyncio.CancelledError:
            self.departures.append(Departure(seen, time.time()))
            self.abandoned.set()
            raise
        finally:
            self.at_once -= 1

    def _mode(self, seen: SeenRequest) -> Mode:
        """Asked again at each step: a test may change the mode while a call runs."""
        return seen.cue or self.mode

    async def _by_mode(self, request: web.BaseRequest, seen: SeenRequest) -> web.StreamResponse:
        refused = self.check(seen)
        mode = self._mode(seen)
        if refused is not None:
            return refused
        if mode in ERRORS:
            refusal = self.refusal(*ERRORS[mode])
            refusal.headers.update(self.error_headers)
            return refusal
        if mode is Mode.HANG:
            await asyncio.Event().wait()
        if mode is Mode.SLOW:
            await asyncio.sleep(LOADING_SECONDS)
        if mode is Mode.DROP:
            return _cut(request, web.Response())
        if mode is Mode.ECHO:
            return _echo(seen)
        if mode is Mode.REDIRECT:
            given = _given(seen).removeprefix("Bearer ")
            location = f"https://elsewhere.test/?key={given}"
            return web.Response(status=307, headers={"Location": location, **SCRIPTED})
        if mode is Mode.COMPRESSED:
            return web.Response(body=b"?", headers={"Content-Encoding": "br", **SCRIPTED})
        return await self._good(request, seen)

    async def _good(self, request: web.BaseRequest, seen: SeenRequest) -> web.StreamResponse:
        if request.method != "POST":
            return self.metadata(seen)
        if self.streams(seen):
            return await self._stream(request, seen)
        return json_answer(self.whole(seen), headers=self.headers(seen))

    async def _stream(self, request: web.BaseRequest, seen: SeenRequest) -> web.StreamResponse:
        kind = {"Content-Type": self.stream_type(seen)}
        response = web.StreamResponse(headers={**kind, **self.headers(seen), **SCRIPTED})
        response.enable_chunked_encoding()
        await response.prepare(request)
        pieces, ending = self.pieces(seen)
        for number, piece in enumerate(pieces):
            if number and self._mode(seen) is Mode.GATED:
                await self.release.acquire()
            if number and self._mode(seen) in {Mode.CUT, Mode.RESET}:
                return _cut(request, response, reset=self._mode(seen) is Mode.RESET)
            await response.write(piece)
        if self._mode(seen) is Mode.STREAM_ERROR:
            await response.write(self.stream_error(seen))
        elif self._mode(seen) is not Mode.UNFINISHED:
            self.ends(seen)
            await response.write(ending)
        await response.write_eof()
        return response

    def check(self, seen: SeenRequest) -> web.Response | None:
        """The answer to a request that the service does not take; None when it does."""
        return None

    def ends(self, seen: SeenRequest) -> None:
        """Called before the ending of a stream that went well."""
        return

    def headers(self, seen: SeenRequest) -> Mapping[str, str]:
        """What a good answer has in its headers besides."""
        return {}

    def refusal(self, status: int, message: str) -> web.Response:
        """An error with that status."""
        return json_answer(self.error(status, message), status=status)

    @abstractmethod
    def error(self, status: int, message: str) -> Mapping[str, Any]:
        """An error in the service's shape."""

    @abstractmethod
    def stream_type(self, seen: SeenRequest) -> str:
        """The content type of a stream."""

    @abstractmethod
    def metadata(self, seen: SeenRequest) -> web.Response:
        """The answer to a GET."""

    @abstractmethod
    def streams(self, seen: SeenRequest) -> bool:
        """Whether the call asks for a stream."""

    @abstractmethod
    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """The answer in one piece."""

    @abstractmethod
    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """The pieces of a stream, each with something to show in it, and what ends it."""

    @abstractmethod
    def stream_error(self, seen: SeenRequest) -> bytes:
        """An error in the middle of a stream."""


_RESETS = struct.pack("ii", 1, 0)
"""The option of a socket that ends with RST instead of FIN."""


def _cut(
    request: web.BaseRequest, response: web.StreamResponse, *, reset: bool = False
) -> web.StreamResponse:
    transport = request.transport
    if transport is not None and reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
    if transport is not None:
        transport.close()
    return response


def _given(seen: SeenRequest) -> str:
    """The credential that came."""
    names = ("Authorization", "X-Api-Key")
    return next((seen.headers[name] for name in names if name in seen.headers), "none")


def _echo(seen: SeenRequest) -> web.Response:
    """Everything back, secrets included: a service that cannot be trusted with its answers."""
    sent = json.dumps({"headers": dict(seen.headers), "body": seen.body.decode()})
    given = _given(seen)
    headers = {"X-Echo": given, "Set-Cookie": f"session={given}", **SCRIPTED}
    return web.Response(text=sent, content_type="application/json", headers=headers)
