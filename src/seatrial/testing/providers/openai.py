"""A scripted OpenAI: chat completions, responses, embeddings and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from . import openai_chat, openai_responses
from .base import ScriptedProvider, SeenRequest
from .script import INPUT_TOKENS, VECTOR, floats_base64, listed
from .wire import json_answer, sse

_FAILED = "the server had an error"
_SAME = {"object": "model", "created": 0, "owned_by": "scripted"}
_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def error(status: int, message: str) -> Mapping[str, Any]:
    """An error as OpenAI writes it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    kind, code = _KINDS.get(status, (kind, None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def listing(models: Sequence[str]) -> web.Response:
    """The list of models."""
    return json_answer({"object": "list", "data": [{"id": name, **_SAME} for name in models]})


def embeddings(call: Any) -> Mapping[str, Any]:
    """One vector for each text, in the encoding that was asked for."""
    texts = listed(call["input"]) or [call["input"]]
    vector = floats_base64() if call.get("encoding_format") == "base64" else list(VECTOR)
    data = [{"object": "embedding", "index": n, "embedding": vector} for n in range(len(texts))]
    usage = {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS}
    return {"object": "list", "model": call["model"], "data": data, "usage": usage}


class ScriptedOpenAI(ScriptedProvider):
    """OpenAI's chat completions, responses, embeddings and models. Its base URL is `url`/v1."""

    def stream_type(self, seen: SeenRequest) -> str:
        """See ScriptedProvider."""
        return "text/event-stream; charset=utf-8"

    def error(self, status: int, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return error(status, message)

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider. A model that is asked for by name must be listed."""
        _, one, name = seen.path.partition("/models/")
        if not one:
            return listing(self.models)
        name = unquote(name)
        if name not in self.models:
            return self.refusal(404, f"The model '{name}' does not exist")
        return json_answer({"id": name, **_SAME})

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider."""
        return seen.json.get("stream", False)

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        if seen.path.endswith("/responses"):
            return openai_responses.whole(seen.json)
        if seen.path.endswith("/embeddings"):
            return embeddings(seen.json)
        return openai_chat.whole(seen.json)

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        if seen.path.endswith("/responses"):
            return openai_responses.pieces(seen.json)
        return openai_chat.pieces(seen.json)

    def stream_error(self, seen: SeenRequest) -> bytes:
        """See ScriptedProvider."""
        if seen.path.endswith("/responses"):
            return openai_responses.stream_error(_FAILED)
        return sse(error(500, _FAILED))
