"""smolagents."""

from typing import Any

from .answers import Answer, usage_of
from .base import Adapter, Emit, class_names, comes_from, has


def matches(value: Any) -> bool:
    """Any agent of the library."""
    names = class_names(value)
    return comes_from(value, "smolagents") and "MultiStepAgent" in names and has(value, "run")


def call(agent: Any, query: str, emit: Emit) -> Answer:
    """Run to the end; nothing is streamed."""
    result = agent.run(query)
    monitor: Any = getattr(agent, "monitor", None)
    counts = monitor.get_total_token_counts() if has(monitor, "get_total_token_counts") else None
    return Answer(
        result, None if isinstance(result, (dict, list)) else str(result), usage_of(counts)
    )


ADAPTER = Adapter("smolagents", matches, call)
