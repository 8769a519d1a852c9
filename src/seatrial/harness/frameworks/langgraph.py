"""LangGraph: compiled graphs, also those of LangChain's `create_agent`."""

from typing import Any

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
        elif any(name.startswith("AIMessage") for name in class_names(payload[0])):
            emit(text_of(getattr(payload[0], "content", None)) or "")
    messages: Any = state.get("messages") if isinstance(state, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - foreign
    if messages:
        return Answer(None, text_of(messages[-1].content), _usage(messages))
    return Answer(state)


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
