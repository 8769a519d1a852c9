"""Scripted model services that speak the real protocols. They invent their answers and say so.

Every answer carries the header `X-Seatrial-Scripted: yes`, and the texts are fixed. They are
real HTTP servers on a loopback port: what talks to them talks to a service.

    async with ScriptedOllama() as ollama:
        ollama.mode = Mode.RATE_LIMITED
        ... call ollama.url ...
        assert ollama.requests[-1].path == "/api/chat"
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Self

from aiohttp import web
from multidict import CIMultiDict

TEXT = ("Scripted", " answer", ".")
"""The pieces of every answer."""

INPUT_TOKENS = 11
OUTPUT_TOKENS = 3


class Mode(StrEnum):
    """How a scripted service behaves."""

    OK = "ok"
    """It answers; a stream when the call asks for one."""
    GATED = "gated"
    """It streams, and waits for `release` before each piece after the first."""
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    BAD_REQUEST = "bad_request"
    BROKEN = "broken"
    """500."""
    BUSY = "busy"
    """503."""
    HANG = "hang"
    """It never answers; see `abandoned`."""
    CUT = "cut"
    """It closes the connection after the first piece of a stream."""
    UNFINISHED = "unfinished"
    """It ends a stream properly for HTTP, but without its protocol's end."""
    DROP = "drop"
    """It closes the connection without an answer."""
    STREAM_ERROR = "stream_error"
    """It reports an error within a stream."""
    ECHO = "echo"
    """It answers with everything it was sent, headers and body, in its own headers too."""
    REDIRECT = "redirect"
    """It sends the caller elsewhere, with the credential in the address."""
    COMPRESSED = "compressed"
    """It says that its answer is compressed, whatever it was asked."""


_ERRORS: Mapping[Mode, tuple[int, str]] = {
    Mode.RATE_LIMITED: (429, "too many requests"),
    Mode.QUOTA: (429, "insufficient_quota: you exceeded your current quota"),
    Mode.UNAUTHORIZED: (401, "incorrect key"),
    Mode.FORBIDDEN: (403, "no access to this model"),
    Mode.MISSING: (404, "model not found, try pulling it first"),
    Mode.BAD_REQUEST: (400, "a message has no content"),
    Mode.BROKEN: (500, "the runner has terminated"),
    Mode.BUSY: (503, "the server is overloaded"),
}


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


class ScriptedProvider(ABC):
    """What all services have in common. Start it as an async context manager."""

    def __init__(self, models: tuple[str, ...] = ("scripted:latest",)) -> None:
        """`models` is what it lists; it answers for any."""
        self.models = models
        self.mode = Mode.OK
        self.requests: list[SeenRequest] = []
        self.release = asyncio.Semaphore(0)
        """Lets one more piece of a gated stream through each time."""
        self.arrived = asyncio.Event()
        """A request is here."""
        self.abandoned = asyncio.Event()
        """The caller went away before its answer ended."""
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
            self.abandoned.set()
            raise
        finally:
            self.at_once -= 1

    async def _by_mode(self, request: web.BaseRequest, seen: SeenRequest) -> web.StreamResponse:
        refused = self.check(seen)
        if refused is not None:
            return refused
        if self.mode in _ERRORS:
            status, message = _ERRORS[self.mode]
            return self.refusal(status, message)
        if self.mode is Mode.HANG:
            await asyncio.Event().wait()
        if self.mode is Mode.DROP:
            return _cut(request, web.Response())
        if self.mode is Mode.ECHO:
            return _echo(seen)
        if self.mode is Mode.REDIRECT:
            given = _given(seen).removeprefix("Bearer ")
            location = f"https://elsewhere.test/?key={given}"
            return web.Response(status=307, headers={"Location": location, **SCRIPTED})
        if self.mode is Mode.COMPRESSED:
            return web.Response(body=b"?", headers={"Content-Encoding": "br", **SCRIPTED})
        if request.method != "POST":
            return self.metadata(seen)
        if self.streams(seen):
            return await self._stream(request, seen)
        return json_answer(self.whole(seen), headers=self.answer_headers)

    async def _stream(self, request: web.BaseRequest, seen: SeenRequest) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": self.stream_type, **self.answer_headers, **SCRIPTED}
        )
        response.enable_chunked_encoding()
        await response.prepare(request)
        pieces, ending = self.pieces(seen)
        for number, piece in enumerate(pieces):
            if number and self.mode is Mode.GATED:
                await self.release.acquire()
            if number and self.mode is Mode.CUT:
                return _cut(request, response)
            await response.write(piece)
        if self.mode is Mode.STREAM_ERROR:
            await response.write(self.stream_error())
        elif self.mode is not Mode.UNFINISHED:
            await response.write(ending)
        await response.write_eof()
        return response

    stream_type: str
    answer_headers: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What every good answer has in its headers besides."""

    def check(self, seen: SeenRequest) -> web.Response | None:
        """The answer to a request that the service does not take; None when it does."""
        return None

    def refusal(self, status: int, message: str) -> web.Response:
        """An error with that status."""
        return json_answer(self.error(message), status=status)

    @abstractmethod
    def error(self, message: str) -> Mapping[str, Any]:
        """An error in the service's shape."""

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
        """The pieces of a stream and what ends it."""

    @abstractmethod
    def stream_error(self) -> bytes:
        """An error in the middle of a stream."""


class ScriptedOllama(ScriptedProvider):
    """Ollama's chat, generate, embed, tags, show, ps and version."""

    stream_type = "application/x-ndjson"

    def error(self, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return {"error": message}

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider."""
        if seen.path == "/":
            return web.Response(text="Ollama is running", headers=SCRIPTED)
        if seen.path == "/api/version":
            return json_answer({"version": "0.0.0-scripted"})
        if seen.path == "/v1/models":
            return json_answer({"object": "list", "data": [_openai_model(m) for m in self.models]})
        return json_answer({"models": [{"name": name, "model": name} for name in self.models]})

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider. Ollama streams unless it is told not to."""
        return seen.path in {"/api/chat", "/api/generate"} and seen.json.get("stream", True)

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        if seen.path == "/api/show":
            return {"details": {"family": "scripted"}, "model_info": {}, "capabilities": []}
        if seen.path == "/api/embed":
            vectors = [[0.5, 0.25]]
            return {"model": "x", "embeddings": vectors, "prompt_eval_count": INPUT_TOKENS}
        return self._line(seen, "".join(TEXT), done=True)

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        lines = [_ndjson(self._line(seen, text, done=False)) for text in TEXT]
        return lines, _ndjson(self._line(seen, "", done=True))

    def stream_error(self) -> bytes:
        """See ScriptedProvider."""
        return _ndjson(self.error("the runner has terminated"))

    def _line(self, seen: SeenRequest, text: str, *, done: bool) -> Mapping[str, Any]:
        line: dict[str, Any] = {"model": seen.json["model"], "created_at": _NOW, "done": done}
        if seen.path == "/api/chat":
            line["message"] = {"role": "assistant", "content": text}
        else:
            line["response"] = text
        if done:
            counts = {"prompt_eval_count": INPUT_TOKENS, "eval_count": OUTPUT_TOKENS}
            line |= {"done_reason": "stop", **counts}
        return line


class ScriptedOpenAI(ScriptedProvider):
    """OpenAI's chat completions, responses, embeddings and models. Its base URL is `url`/v1."""

    stream_type = "text/event-stream; charset=utf-8"

    def error(self, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return {"error": {"message": message, "type": "scripted", "param": None, "code": None}}

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider."""
        return json_answer(
            {"object": "list", "data": [_openai_model(name) for name in self.models]}
        )

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider."""
        return seen.json.get("stream", False)

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        model, text = seen.json["model"], "".join(TEXT)
        if seen.path.endswith("/responses"):
            return _response(model, text, "completed")
        if seen.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
            usage = {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS}
            return {"object": "list", "model": model, "data": data, "usage": usage}
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text},
        }
        return {**_completion(model, "chat.completion"), "choices": [choice], "usage": _USAGE}

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider. Usage comes only when the call asks for it, as at OpenAI."""
        model = seen.json["model"]
        if seen.path.endswith("/responses"):
            events = [sse({"type": "response.output_text.delta", "delta": text}) for text in TEXT]
            final = _response(model, "".join(TEXT), "completed")
            return events, sse({"type": "response.completed", "response": final})
        chunks = [sse(_chunk(model, {"content": text}, None)) for text in TEXT]
        ending = sse(_chunk(model, {}, "stop"))
        if seen.json.get("stream_options", {}).get("include_usage"):
            empty: dict[str, Any] = {**_chunk(model, {}, None), "choices": []}
            ending += sse({**empty, "usage": _USAGE})
        return chunks, ending + b"data: [DONE]\n\n"

    def stream_error(self) -> bytes:
        """See ScriptedProvider."""
        return sse(self.error("the server had an error"))


SCRIPTED = {"X-Seatrial-Scripted": "yes"}
_NOW = "2026-01-01T00:00:00Z"
_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


def json_answer(
    value: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> web.Response:
    """A JSON answer that says that it is scripted."""
    return web.json_response(value, status=status, headers={**SCRIPTED, **headers})


def _ndjson(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def sse(value: Mapping[str, Any]) -> bytes:
    """One server-sent event without a name."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _cut(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
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


def _openai_model(name: str) -> Mapping[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "scripted"}


def _completion(model: str, kind: str) -> dict[str, Any]:
    return {"id": "scripted-1", "object": kind, "created": 0, "model": model}


def _chunk(model: str, delta: Mapping[str, Any], finish: str | None) -> Mapping[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_completion(model, "chat.completion.chunk"), "choices": [choice]}


def _response(model: str, text: str, status: str) -> Mapping[str, Any]:
    content: list[dict[str, Any]] = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "id": "msg-1", "role": "assistant", "status": status}
    usage = {
        "input_tokens": INPUT_TOKENS,
        "output_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return {
        **_completion(model, "response"),
        "created_at": 0,
        "status": status,
        "error": None,
        "output": [{**message, "content": content}],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
    }
