"""PydanticAI agents."""

from typing import Any

from .answers import Answer, usage_of
from .base import Adapter, Emit, comes_from, has


def matches(value: Any) -> bool:
    """An agent, also a wrapped one."""
    return comes_from(value, "pydantic_ai") and has(value, "run_sync", "run_stream")


async def call(agent: Any, query: str, emit: Emit) -> Answer:
    """Stream text; an output of another type comes whole."""
    if getattr(agent, "output_type", str) is not str:
        result = await agent.run(query)
        return Answer(result.output, None, _usage(result))
    async with agent.run_stream(query) as stream:
        async for piece in stream.stream_text(delta=True, debounce_by=None):
            emit(piece)
        return Answer(await stream.get_output(), None, _usage(stream))


def _usage(result: Any) -> dict[str, int]:
    """A property today, a method in older versions: called only when it holds no counts."""
    usage = result.usage
    counts = usage_of(usage)
    return counts if counts or not callable(usage) else usage_of(usage())


ADAPTER = Adapter("pydantic_ai", matches, call)
