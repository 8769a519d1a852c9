"""The dialect of Bedrock's Converse and ConverseStream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .bedrock_events import encode_event
from .openai_chat import halves
from .script import CALL_ID, INPUT_TOKENS, OUTPUT_TOKENS, Tool, Turn, last_of, listed, next_turn
from .wire import together

_AFTER = {
    "usage": {
        "inputTokens": INPUT_TOKENS,
        "outputTokens": OUTPUT_TOKENS,
        "totalTokens": INPUT_TOKENS + OUTPUT_TOKENS,
    },
    "metrics": {"latencyMs": 1},
}


def whole(call: Any) -> Mapping[str, Any]:
    """The answer in one piece."""
    turn = _turn(call)
    block: dict[str, Any] = {"text": turn.text}
    if turn.call is not None:
        block = {"toolUse": {**_named(turn.call), "input": turn.call.arguments}}
    message = {"role": "assistant", "content": [block]}
    return {"output": {"message": message}, "stopReason": _reason(turn), **_AFTER}


def pieces(call: Any) -> tuple[list[bytes], bytes]:
    """The events up to the last delta, and those that end the stream."""
    turn = _turn(call)
    events = [encode_event("messageStart", {"role": "assistant"})]
    if turn.call is not None:
        start = {"contentBlockIndex": 0, "start": {"toolUse": _named(turn.call)}}
        events.append(encode_event("contentBlockStart", start))
    opening = len(events)
    for delta in _deltas(turn):
        place = {"contentBlockIndex": 0, "delta": delta}
        events.append(encode_event("contentBlockDelta", place))
    ending = [
        encode_event("contentBlockStop", {"contentBlockIndex": 0}),
        encode_event("messageStop", {"stopReason": _reason(turn)}),
        encode_event("metadata", _AFTER),
    ]
    return together(events, opening), b"".join(ending)


def _deltas(turn: Turn) -> list[Mapping[str, Any]]:
    if turn.call is None:
        return [{"text": text} for text in turn.pieces]
    return [{"toolUse": {"input": part}} for part in halves(json.dumps(turn.call.arguments))]


def _turn(call: Any) -> Turn:
    offered = call.get("toolConfig", {}).get("tools", [])
    specs = [tool["toolSpec"] for tool in offered if "toolSpec" in tool]
    tools = [Tool(spec["name"], spec["inputSchema"]["json"]) for spec in specs]
    blocks = listed(last_of(call.get("messages")).get("content"))
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    return next_turn(tools, _text(results[-1]) if results else None)


def _text(result: Mapping[str, Any]) -> str:
    parts = result["content"]
    return "".join(p["text"] if "text" in p else json.dumps(p.get("json")) for p in parts)


def _named(tool: Tool) -> dict[str, Any]:
    return {"toolUseId": CALL_ID, "name": tool.name}


def _reason(turn: Turn) -> str:
    return "end_turn" if turn.call is None else "tool_use"
