"""Strands: Agent, Swarm and Graph, by `stream_async`."""

from typing import Any

from .answers import Answer, usage_of
from .base import Adapter, Emit, comes_from, has


def matches(value: Any) -> bool:
    """Anything of Strands that streams."""
    return comes_from(value, "strands") and has(value, "stream_async", "invoke_async")


async def call(agent: Any, query: str, emit: Emit) -> Answer:
    """Stream; the last event with a result is the answer."""
    result: Any = None
    async for event in agent.stream_async(query):
        if isinstance(event, dict):
            found: dict[str, Any] = event  # pyright: ignore[reportUnknownVariableType] - foreign
            piece = found.get("data")
            if isinstance(piece, str):
                emit(piece)
            result = found.get("result", result)
    metrics = getattr(result, "metrics", result)
    usage = usage_of(getattr(metrics, "accumulated_usage", None))
    structured = getattr(result, "structured_output", None)
    return Answer(structured, _text(result), usage)


def _text(result: Any) -> str:
    """A Swarm or a Graph answers with the results of its nodes: the last one is the answer."""
    results = getattr(result, "results", None)
    if not isinstance(results, dict) or not results:
        return str(result).strip()
    nodes: dict[str, Any] = results  # pyright: ignore[reportUnknownVariableType] - foreign
    order = getattr(result, "node_history", None) or getattr(result, "execution_order", None)
    last = getattr(order[-1], "node_id", None) if order else None
    node = nodes.get(str(last), list(nodes.values())[-1])
    return _text(getattr(node, "result", node))


ADAPTER = Adapter("strands", matches, call)
