"""The dialect of Anthropic's Messages API, which Bedrock's Anthropic models speak too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .openai_chat import halves, text_of
from .script import CALL_ID, INPUT_TOKENS, OUTPUT_TOKENS, Tool, Turn, last_of, listed, next_turn


def whole(model: str, call: Any) -> dict[str, Any]:
    """A whole answer."""
    turn = _turn(call)
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    return _message(model, [_block(turn)], _reason(turn), usage)


OPENING = 2
"""Events at the beginning of a stream that show nothing yet."""


def events(model: str, call: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events of a streamed message: those up to the last delta, and those that end it."""
    turn = _turn(call)
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": 1}
    start: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message(model, [], None, usage)},
        {"type": "content_block_start", "index": 0, "content_block": _empty(turn)},
    ]
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": delta} for delta in _deltas(turn)
    ]
    delta = {"stop_reason": _reason(turn), "stop_sequence": None}
    ending: list[dict[str, Any]] = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": OUTPUT_TOKENS}},
        {"type": "message_stop"},
    ]
    return start + deltas, ending


def _turn(call: Any) -> Turn:
    tools = [Tool(tool["name"], tool["input_schema"]) for tool in listed(call.get("tools"))]
    blocks = listed(last_of(call.get("messages")).get("content"))
    results = [block for block in blocks if block.get("type") == "tool_result"]
    return next_turn(tools, text_of(results[-1].get("content")) if results else None)


def _message(
    model: str, content: list[Any], reason: str | None, usage: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _block(turn: Turn) -> Mapping[str, Any]:
    if turn.call is None:
        return {"type": "text", "text": turn.text}
    return {**_empty(turn), "input": turn.call.arguments}


def _empty(turn: Turn) -> Mapping[str, Any]:
    if turn.call is None:
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": CALL_ID, "name": turn.call.name, "input": {}}


def _deltas(turn: Turn) -> list[Mapping[str, Any]]:
    if turn.call is None:
        return [{"type": "text_delta", "text": text} for text in turn.pieces]
    parts = halves(json.dumps(turn.call.arguments))
    return [{"type": "input_json_delta", "partial_json": part} for part in parts]


def _reason(turn: Turn) -> str:
    return "end_turn" if turn.call is None else "tool_use"
