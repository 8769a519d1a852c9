"""LangGraph: compiled graphs, also those of LangChain's `create_agent`."""

from typing import Any, cast

from .answers import Answer, add_usage, text_of, usage_of
from .base import Adapter, Emit, class_names, comes_from, has

QUESTION_KEYS = ("query", "question", "input", "prompt", "user_input", "text", "task", "topic")
"""Where a graph without messages in its state usually takes the question."""


def matches(value: Any) -> bool:
    """A compiled graph; a builder has no `invoke`."""
    return comes_from(value, "langgraph") and has(value, "invoke", "stream")


async def call(graph: Any, query: str, emit: Emit) -> Answer:
    """Stream tokens and states; the last state is the answer."""
    state: Any = None
    async for mode, payload in graph.astream(
        _question(graph, query), stream_mode=["messages", "values"]
    ):
        if mode == "values":
            state = payload
        else:
            emit(_token(payload[0]))
    messages = _messages(state)
    if messages:
        return Answer(None, text_of(messages[-1].content), _usage(messages))
    return Answer(state)


def _messages(state: Any) -> Any:
    return cast("dict[str, Any]", state).get("messages") if isinstance(state, dict) else None


def _token(message: Any) -> str:
    """The text of a piece that the model said; people and tools send messages as well."""
    if not any(name.startswith("AIMessage") for name in class_names(message)):
        return ""
    return text_of(message.content) or ""


def _question(graph: Any, query: str) -> dict[str, Any]:
    channels: Any = getattr(graph, "channels", None) or {}
    if "messages" not in channels:
        for key in QUESTION_KEYS:
            if key in channels:
                return {key: query}
    return {"messages": [{"role": "user", "content": query}]}


def _usage(messages: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for message in messages:
        total = add_usage(total, usage_of(getattr(message, "usage_metadata", None)))
    return total


ADAPTER = Adapter("langgraph", matches, call)
