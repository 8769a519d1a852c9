"""Agno agents and teams."""

from typing import Any

from .answers import Answer, usage_of
from .base import Adapter, Emit, comes_from, has


def matches(value: Any) -> bool:
    """Anything of the library that runs and prints responses."""
    return comes_from(value, "agno") and has(value, "run", "arun", "print_response")


async def call(agent: Any, query: str, emit: Emit) -> Answer:
    """Run to the end; nothing is streamed."""
    result = await agent.arun(query)
    return Answer(
        getattr(result, "content", result), None, usage_of(getattr(result, "metrics", None))
    )


ADAPTER = Adapter("agno", matches, call)
