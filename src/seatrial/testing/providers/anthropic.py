"""A scripted Anthropic: messages, counting their tokens, and models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from . import anthropic_messages
from .base import ScriptedProvider, SeenRequest
from .script import INPUT_TOKENS
from .wire import NOW, json_answer, named_sse, together

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}


class ScriptedAnthropic(ScriptedProvider):
    """Anthropic's messages, count_tokens and models. With a `key` it takes no other."""

    key: str | None = None

    def check(self, seen: SeenRequest) -> web.Response | None:
        """As Anthropic: a key in `x-api-key` and a version are asked for."""
        if self.key is not None and seen.headers.get("x-api-key") != self.key:
            return self.refusal(401, "invalid x-api-key")
        if "anthropic-version" not in seen.headers:
            return self.refusal(400, "anthropic-version: header is required")
        return None

    def stream_type(self, seen: SeenRequest) -> str:
        """See ScriptedProvider."""
        return "text/event-stream; charset=utf-8"

    def error(self, status: int, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        kind = _KINDS.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider."""
        _, one, name = seen.path.partition("/models/")
        if one and unquote(name) not in self.models:
            return self.refusal(404, f"model: {unquote(name)}")
        if one:
            return json_answer(_model(unquote(name)))
        data = [_model(name) for name in self.models]
        ends = {"first_id": self.models[0], "last_id": self.models[-1]}
        return json_answer({"data": data, "has_more": False, **ends})

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider."""
        return seen.path == "/v1/messages" and seen.json.get("stream", False)

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        if seen.path.endswith("/count_tokens"):
            return {"input_tokens": INPUT_TOKENS}
        return anthropic_messages.whole(seen.json["model"], seen.json)

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        events, ending = anthropic_messages.events(seen.json["model"], seen.json)
        pieces = together([named_sse(value) for value in events], anthropic_messages.OPENING)
        return pieces, b"".join(map(named_sse, ending))

    def stream_error(self, seen: SeenRequest) -> bytes:
        """See ScriptedProvider."""
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return named_sse({"type": "error", "error": error})


def _model(name: str) -> Mapping[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": NOW}
