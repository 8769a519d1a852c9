"""A scripted Anthropic; see seatrial.testing.providers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from .providers import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    TEXT,
    ScriptedProvider,
    SeenRequest,
    json_answer,
)


def message(model: str) -> dict[str, Any]:
    """A whole answer of the Messages API, as Bedrock's Anthropic models write it too."""
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "".join(TEXT)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
    }


def message_events(model: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events of a streamed message: those with text, and those that end it."""
    start: dict[str, Any] = {
        **message(model),
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
    ]
    for text in TEXT:
        delta = {"type": "text_delta", "text": text}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    ending: list[dict[str, Any]] = [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": OUTPUT_TOKENS},
        },
        {"type": "message_stop"},
    ]
    return events, ending


class ScriptedAnthropic(ScriptedProvider):
    """Anthropic's messages, count_tokens and models. With a `key` it takes no other."""

    stream_type = "text/event-stream; charset=utf-8"
    key: str | None = None

    def check(self, seen: SeenRequest) -> web.Response | None:
        """As Anthropic: a key in `x-api-key` and a version are asked for."""
        if self.key is not None and seen.headers.get("x-api-key") != self.key:
            return self.refusal(401, "invalid x-api-key")
        if "anthropic-version" not in seen.headers:
            return self.refusal(400, "anthropic-version: header is required")
        return None

    def error(self, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return {"type": "error", "error": {"type": "api_error", "message": message}}

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider."""
        created = "2026-01-01T00:00:00Z"
        data = [
            {"type": "model", "id": name, "display_name": name, "created_at": created}
            for name in self.models
        ]
        ends = {"first_id": self.models[0], "last_id": self.models[-1]}
        return json_answer({"data": data, "has_more": False, **ends})

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider."""
        return seen.path == "/v1/messages" and seen.json.get("stream", False)

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        if seen.path.endswith("/count_tokens"):
            return {"input_tokens": INPUT_TOKENS}
        return message(seen.json["model"])

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        events, ending = message_events(seen.json["model"])
        return [_event(value) for value in events], b"".join(_event(value) for value in ending)

    def stream_error(self) -> bytes:
        """See ScriptedProvider."""
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return _event({"type": "error", "error": error})


def _event(value: Mapping[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()
