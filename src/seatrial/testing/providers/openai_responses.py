"""The dialect of OpenAI's Responses API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .openai_chat import halves, text_of
from .script import CALL_ID, INPUT_TOKENS, OUTPUT_TOKENS, Tool, Turn, last_of, listed, next_turn
from .wire import named_sse, together

_MESSAGE_ID = "msg_scripted"
_ITEM_ID = "fc_scripted"
_USAGE = {
    "input_tokens": INPUT_TOKENS,
    "output_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}


def whole(call: Any) -> Mapping[str, Any]:
    """The answer in one piece."""
    return _response(call, [_item(_turn(call), "completed")], "completed")


def pieces(call: Any) -> tuple[list[bytes], bytes]:
    """The events up to the last delta, and those that end them."""
    turn = _turn(call)
    started = _response(call, [], "in_progress")
    added = {"output_index": 0, "item": _item(_begun(turn), "in_progress")}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.output_item.added", **added},
        *(_arguments(turn.call) if turn.call else _texts(turn)),
    ]
    done = {"output_index": 0, "item": _item(turn, "completed")}
    ending: list[dict[str, Any]] = [
        *_closed(turn),
        {"type": "response.output_item.done", **done},
        {"type": "response.completed", "response": whole(call)},
    ]
    numbered = [{**event, "sequence_number": n} for n, event in enumerate([*events, *ending])]
    written = [named_sse(event) for event in numbered]
    opening = 2 if turn.call else 3
    return together(written[: len(events)], opening), b"".join(written[len(events) :])


def stream_error(message: str) -> bytes:
    """An error in the middle of a stream."""
    told = {"code": "server_error", "message": message, "param": None}
    return named_sse({"type": "error", "sequence_number": 99, **told})


def _texts(turn: Turn) -> list[dict[str, Any]]:
    place = {"item_id": _MESSAGE_ID, "output_index": 0, "content_index": 0}
    deltas: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", **place, "delta": text, "logprobs": []}
        for text in turn.pieces
    ]
    return [{"type": "response.content_part.added", **place, "part": _text("")}, *deltas]


def _arguments(tool: Tool) -> list[dict[str, Any]]:
    place = {"item_id": _ITEM_ID, "output_index": 0}
    kind = "response.function_call_arguments.delta"
    return [{"type": kind, **place, "delta": part} for part in halves(json.dumps(tool.arguments))]


def _closed(turn: Turn) -> list[dict[str, Any]]:
    if turn.call is not None:
        written = {"name": turn.call.name, "arguments": json.dumps(turn.call.arguments)}
        place = {"item_id": _ITEM_ID, "output_index": 0}
        return [{"type": "response.function_call_arguments.done", **place, **written}]
    place = {"item_id": _MESSAGE_ID, "output_index": 0, "content_index": 0}
    return [
        {"type": "response.output_text.done", **place, "text": turn.text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _text(turn.text)},
    ]


def _begun(turn: Turn) -> Turn:
    """The turn as it is before anything of it was said."""
    return Turn((), Tool(turn.call.name, {}) if turn.call else None)


def _item(turn: Turn, status: str) -> dict[str, Any]:
    if turn.call is not None:
        written = json.dumps(turn.call.arguments) if status == "completed" else ""
        call = {"call_id": CALL_ID, "name": turn.call.name, "arguments": written}
        return {"type": "function_call", "id": _ITEM_ID, **call, "status": status}
    content = [_text(turn.text)] if turn.pieces else []
    said = {"id": _MESSAGE_ID, "role": "assistant", "content": content}
    return {"type": "message", **said, "status": status}


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _turn(call: Any) -> Turn:
    offered = [tool for tool in listed(call.get("tools")) if tool.get("type") == "function"]
    tools = [Tool(tool["name"], tool.get("parameters") or {}) for tool in offered]
    last: Any = last_of(call.get("input"))
    told = last.get("type") == "function_call_output"
    return next_turn(tools, text_of(last["output"]) if told else None)


def _response(call: Any, output: list[Any], status: str) -> dict[str, Any]:
    return {
        "id": "resp_scripted",
        "object": "response",
        "created_at": 0,
        "model": call["model"],
        "status": status,
        "error": None,
        "output": output,
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": listed(call.get("tools")),
        "usage": _USAGE if status == "completed" else None,
    }
