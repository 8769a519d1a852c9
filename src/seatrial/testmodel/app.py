"""The facade: both APIs in one aiohttp application, with one shape of error for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from .errors import ApiError
from .json_values import JsonObject
from .ollama_routes import OllamaRoutes
from .openai_routes import OpenAIRoutes
from .upstream import Upstream
from .weights import ModelFacts

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Largest request body; a larger one is answered with 413."""

IDENTITY_HEADER = "X-Seatrial-Test-Model"
"""On every answer, with the value 1: whoever asks can tell this server from Ollama."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(upstream: Upstream, facts: ModelFacts) -> web.Application:
    """The application, ready to be served. `upstream` must stay open while it is."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_errors])
    app.on_response_prepare.append(_identify)
    app.add_routes(OllamaRoutes(upstream, facts).routes())
    app.add_routes(OpenAIRoutes(upstream, facts).routes())
    return app


@web.middleware
async def _errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        status, message = error.status, error.message
    except web.HTTPException as error:
        status, message = error.status, f"{request.method} {request.path}: {error.reason.lower()}"
    return web.json_response(error_body(request.path, status, message), status=status)


def error_body(path: str, status: int, message: str) -> JsonObject:
    """The error in the shape of the API that `path` belongs to."""
    if not path.startswith("/v1/"):
        return {"error": message}
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    if status >= 500:
        kind = "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


async def _identify(_: web.Request, response: web.StreamResponse) -> None:
    response.headers[IDENTITY_HEADER] = "1"
