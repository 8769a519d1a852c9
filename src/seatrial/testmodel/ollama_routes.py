"""Ollama's API under `/api`: parse, ask llama.cpp, answer in Ollama's shape."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Literal

from aiohttp import web

from .describe import model_entry, running_entry, show_answer
from .errors import ApiError
from .json_values import JsonObject
from .requests import (
    ChatRequest,
    EmbeddingsRequest,
    EmbedRequest,
    GenerateRequest,
    ModelRequest,
    PullRequest,
    parse,
)
from .translate import (
    Durations,
    EngineCall,
    Piece,
    Tally,
    chat_call,
    chunk,
    embed_answer,
    generate_call,
)
from .upstream import Upstream
from .weights import ModelFacts, check_model_name

_NDJSON = "application/x-ndjson"
# The model is never unloaded; Ollama's clients want a date all the same.
_NEVER = timedelta(days=36500)

Kind = Literal["chat", "generate"]


@dataclass(frozen=True)
class OllamaRoutes:
    """The handlers of Ollama's API over one loaded model."""

    upstream: Upstream
    facts: ModelFacts

    def routes(self) -> list[web.RouteDef]:
        """Every route of this API."""
        return [
            web.get("/", self.root),
            web.get("/api/version", self.version),
            web.get("/api/tags", self.tags),
            web.get("/api/ps", self.running),
            web.post("/api/show", self.show),
            web.post("/api/chat", self.chat),
            web.post("/api/generate", self.generate),
            web.post("/api/embed", self.embed),
            web.post("/api/embeddings", self.embeddings),
            web.post("/api/pull", self.pull),
            *(web.post(f"/api/{verb}", self.refuse) for verb in ("create", "copy", "push")),
            web.delete("/api/delete", self.refuse),
        ]

    async def root(self, _: web.Request) -> web.Response:
        """A sign of life, for those who probe Ollama this way."""
        return web.Response(text="Ollama-compatible test server (Seatrial) is running")

    async def version(self, _: web.Request) -> web.Response:
        """The version of Seatrial: this is not Ollama and has none of its versions."""
        return web.json_response({"version": version("seatrial")})

    async def tags(self, _: web.Request) -> web.Response:
        """The one model."""
        return web.json_response({"models": [model_entry(self.facts)]})

    async def running(self, _: web.Request) -> web.Response:
        """The one model, always loaded."""
        entry = running_entry(self.facts, datetime.now(UTC) + _NEVER)
        return web.json_response({"models": [entry]})

    async def show(self, request: web.Request) -> web.Response:
        """Facts about the model."""
        check_model_name(parse(await request.read(), ModelRequest).named())
        return web.json_response(show_answer(self.facts))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """One turn of a conversation. Without messages it only says that the model is loaded."""
        started = time.monotonic_ns()
        wanted = parse(await request.read(), ChatRequest)
        model = check_model_name(wanted.named())
        if not wanted.messages:
            return _loaded("chat", model)
        run = _Run("chat", model, chat_call(wanted), started)
        return await self._answer(request, run, stream=wanted.stream)

    async def generate(self, request: web.Request) -> web.StreamResponse:
        """One completion. Without a prompt it only says that the model is loaded."""
        started = time.monotonic_ns()
        wanted = parse(await request.read(), GenerateRequest)
        model = check_model_name(wanted.named())
        call = generate_call(wanted)
        if not wanted.prompt:
            return _loaded("generate", model)
        return await self._answer(
            request, _Run("generate", model, call, started), stream=wanted.stream
        )

    async def embed(self, request: web.Request) -> web.Response:
        """Vectors of one text or several, by the same model (mean of its last layer)."""
        started = time.monotonic_ns()
        wanted = parse(await request.read(), EmbedRequest)
        model = check_model_name(wanted.named())
        if wanted.dimensions is not None:
            raise ApiError(400, "dimensions is not supported by this model")
        answer = await self.upstream.post("/v1/embeddings", {"input": wanted.texts()})
        vectors, tokens = embed_answer(answer)
        return web.json_response(
            {
                "model": model,
                "embeddings": vectors,
                "total_duration": time.monotonic_ns() - started,
                "load_duration": 0,
                "prompt_eval_count": tokens,
            }
        )

    async def embeddings(self, request: web.Request) -> web.Response:
        """The vector of one text: the older form of `embed`."""
        wanted = parse(await request.read(), EmbeddingsRequest)
        check_model_name(wanted.named())
        answer = await self.upstream.post("/v1/embeddings", {"input": wanted.prompt})
        return web.json_response({"embedding": embed_answer(answer)[0][0]})

    async def pull(self, request: web.Request) -> web.StreamResponse:
        """Succeeds at once for the one model, which is always here; nothing is ever fetched."""
        wanted = parse(await request.read(), PullRequest)
        check_model_name(wanted.named())
        if not wanted.stream:
            return web.json_response({"status": "success"})
        lines = b"".join(_line({"status": text}) for text in ("pulling manifest", "success"))
        return web.Response(body=lines, content_type=_NDJSON)

    async def refuse(self, _: web.Request) -> web.Response:
        """Models cannot be made, copied, sent or deleted here."""
        raise ApiError(501, "the test server has one fixed model and cannot change it")

    async def _answer(self, request: web.Request, run: _Run, *, stream: bool) -> web.StreamResponse:
        run.handed_over = time.monotonic_ns()
        async with self.upstream.generate(run.call) as pieces:
            if stream:
                return await _stream(request, run, pieces)
            async for piece in pieces:
                run.tally.add(piece)
        return web.json_response(run.last(run.tally.text()))


class _Run:
    """One generation on its way to the caller."""

    def __init__(self, kind: Kind, model: str, call: EngineCall, started: int) -> None:
        """`started` is the monotonic time in nanoseconds at which the request came."""
        self.kind: Kind = kind
        self.model = model
        self.call = call
        self.started = started
        self.handed_over = started
        self.tally = Tally()

    def next(self, text: str) -> JsonObject:
        """A chunk in the middle."""
        return chunk(self.kind, self.model, datetime.now(UTC), text, {"done": False})

    def last(self, text: str) -> JsonObject:
        """The last chunk, with the counts; `text` is empty where the text was streamed."""
        durations = Durations(
            total=time.monotonic_ns() - self.started, load=self.handed_over - self.started
        )
        rest = self.tally.done_fields(durations)
        return chunk(self.kind, self.model, datetime.now(UTC), text, rest)


async def _stream(
    request: web.Request, run: _Run, pieces: AsyncIterable[Piece]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": _NDJSON})
    await response.prepare(request)
    try:
        async for piece in pieces:
            run.tally.add(piece)
            if piece.text:
                await response.write(_line(run.next(piece.text)))
    except ApiError as error:
        # The status is sent: an object with `error` is how Ollama reports it from here on.
        await response.write(_line({"error": error.message}))
    else:
        await response.write(_line(run.last("")))
    await response.write_eof()
    return response


def _loaded(kind: Kind, model: str) -> web.Response:
    rest: JsonObject = {"done": True, "done_reason": "load"}
    return web.json_response(chunk(kind, model, datetime.now(UTC), "", rest))


def _line(value: JsonObject) -> bytes:
    return json.dumps(value).encode() + b"\n"
