"""OpenAI Agents. Its package is called `agents`, a name that users give to their own as well."""

import sys
from typing import Any

from .answers import Answer, usage_of
from .base import Adapter, Emit, class_names, comes_from, has


def matches(value: Any) -> bool:
    """An agent with the attributes of that library, from a package that has its runner."""
    return (
        comes_from(value, "agents")
        and "Agent" in class_names(value)
        and has(value, "instructions", "handoffs", "tools")
        and hasattr(sys.modules.get("agents"), "Runner")
    )


async def call(agent: Any, query: str, emit: Emit) -> Answer:
    """Run streamed; the final output is the answer."""
    library: Any = sys.modules["agents"]
    run = library.Runner.run_streamed(agent, query)
    async for event in run.stream_events():
        data = getattr(event, "data", None)
        if getattr(data, "type", "") == "response.output_text.delta":
            emit(getattr(data, "delta", ""))
    usage = getattr(getattr(run, "context_wrapper", None), "usage", None)
    return Answer(run.final_output, None, usage_of(usage))


ADAPTER = Adapter("openai_agents", matches, call)
