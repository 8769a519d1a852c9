"""OpenAI's API under `/v1`: llama.cpp speaks it itself, so bytes pass through.

Only the model's name is checked here and tools are left out of the request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from .errors import ApiError
from .json_values import JsonObject
from .translate import without_tools
from .upstream import Upstream, read_blocks
from .weights import MODEL_NAME, ModelFacts, check_model_name

_FORWARDED = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")


@dataclass(frozen=True)
class OpenAIRoutes:
    """The handlers of OpenAI's API over one loaded model."""

    upstream: Upstream
    facts: ModelFacts

    def routes(self) -> list[web.RouteDef]:
        """Every route of this API."""
        return [
            web.get("/v1/models", self.models),
            web.get("/v1/models/{name}", self.model),
            *(web.post(path, self.forward) for path in _FORWARDED),
        ]

    async def models(self, _: web.Request) -> web.Response:
        """The one model."""
        return web.json_response({"object": "list", "data": [self._entry()]})

    async def model(self, request: web.Request) -> web.Response:
        """One model by its name."""
        check_model_name(request.match_info["name"])
        return web.json_response(self._entry())

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """llama.cpp's answer, byte for byte and as it comes."""
        body = parse_object(await request.read())
        check_model_name(_model_of(body))
        async with self.upstream.forward(request.path, without_tools(body)) as answer:
            response = web.StreamResponse(
                status=answer.status, headers={"Content-Type": answer.headers["Content-Type"]}
            )
            await response.prepare(request)
            try:
                async for block in read_blocks(answer):
                    await response.write(block)
            except ApiError:
                _break_off(request)
                return response
        await response.write_eof()
        return response

    def _entry(self) -> JsonObject:
        created = int(self.facts.modified_at.timestamp())
        return {"id": MODEL_NAME, "object": "model", "created": created, "owned_by": "library"}


def _break_off(request: web.Request) -> None:
    """Close the connection in the middle: the caller must not take what came for the whole."""
    if request.transport is not None:
        request.transport.close()


def parse_object(body: bytes) -> JsonObject:
    """`body` as a JSON object. Raises `ApiError` 400 when it is none."""
    try:
        value: object = json.loads(body)
    except ValueError as error:
        raise ApiError(400, f"the request body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ApiError(400, "the request body is not a JSON object")
    return cast("JsonObject", value)


def _model_of(body: JsonObject) -> str:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise ApiError(400, "model is required")
    return name
