"""The dialect of OpenAI's chat completions, which Ollama and many others speak too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .script import CALL_ID, INPUT_TOKENS, OUTPUT_TOKENS, Tool, Turn, last_of, listed, next_turn
from .wire import sse

USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


def whole(call: Any) -> Mapping[str, Any]:
    """The answer in one piece."""
    turn = _turn(call)
    message: dict[str, Any] = {"role": "assistant", "content": turn.text}
    if turn.call is not None:
        message |= {"content": None, "tool_calls": [_tool_call(turn.call)]}
    choice = {"index": 0, "finish_reason": _finish(turn), "message": message}
    return {**_head(call, "chat.completion"), "choices": [choice], "usage": USAGE}


def pieces(call: Any) -> tuple[list[bytes], bytes]:
    """The chunks and what ends them. Usage comes only when the call asks for it, as at OpenAI."""
    turn = _turn(call)
    chunks = [sse(_chunk(call, delta, None)) for delta in _deltas(turn)]
    ending = sse(_chunk(call, {}, _finish(turn)))
    if call.get("stream_options", {}).get("include_usage"):
        empty: dict[str, Any] = {**_chunk(call, {}, None), "choices": []}
        ending += sse({**empty, "usage": USAGE})
    return chunks, ending + b"data: [DONE]\n\n"


def _deltas(turn: Turn) -> list[Mapping[str, Any]]:
    """A tool's name comes first and its arguments after it, in two pieces."""
    if turn.call is None:
        return [{"role": "assistant", "content": text} for text in turn.pieces]
    whole = _tool_call(turn.call)
    written = whole["function"]["arguments"]
    first = {**whole, "index": 0, "function": {"name": turn.call.name, "arguments": ""}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in halves(written)]
    head: Mapping[str, Any] = {"role": "assistant", "content": None, "tool_calls": [first]}
    return [head, *({"tool_calls": [part]} for part in parts)]


def halves(text: str) -> tuple[str, str]:
    """A text cut in the middle, as streams cut JSON anywhere."""
    return text[: len(text) // 2], text[len(text) // 2 :]


def _turn(call: Any) -> Turn:
    offered = [] if call.get("tool_choice") == "none" else listed(call.get("tools"))
    functions = [tool["function"] for tool in offered]
    tools = [Tool(f["name"], f.get("parameters") or {}) for f in functions]
    last = last_of(call.get("messages"))
    return next_turn(tools, text_of(last["content"]) if last.get("role") == "tool" else None)


def text_of(content: str | Sequence[Mapping[str, Any]] | None) -> str:
    """A message's text, which may stand in parts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(str(part.get("text", "")) for part in content)


def _tool_call(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "arguments": json.dumps(tool.arguments)}
    return {"id": CALL_ID, "type": "function", "function": function}


def _finish(turn: Turn) -> str:
    return "stop" if turn.call is None else "tool_calls"


def _head(call: Any, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 0, "model": call["model"]}


def _chunk(call: Any, delta: Mapping[str, Any], finish: str | None) -> Mapping[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_head(call, "chat.completion.chunk"), "choices": [choice]}
