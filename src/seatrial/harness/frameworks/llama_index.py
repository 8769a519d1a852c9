"""LlamaIndex: agents and own workflows."""

from typing import Any

from .answers import Answer, usage_of
from .base import Adapter, Emit, class_names, comes_from, has


def matches(value: Any) -> bool:
    """A workflow, which every agent is too."""
    return (
        comes_from(value, "llama_index", "workflows")
        and "Workflow" in class_names(value)
        and has(value, "run")
    )


async def call(workflow: Any, query: str, emit: Emit) -> Answer:
    """Agents take `user_msg`, own workflows get the query as `input`."""
    is_agent = class_names(workflow) & {"BaseWorkflowAgent", "AgentWorkflow"}
    handler = workflow.run(**({"user_msg": query} if is_agent else {"input": query}))
    if has(handler, "stream_events"):
        async for event in handler.stream_events():
            piece = getattr(event, "delta", None)
            if isinstance(piece, str):
                emit(piece)
    result = await handler
    raw = getattr(result, "raw", None)
    usage = raw.get("usage") if isinstance(raw, dict) else getattr(raw, "usage", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - foreign
    response = getattr(result, "response", None)
    return Answer(result) if response is None else Answer(None, str(response), usage_of(usage))


ADAPTER = Adapter("llama_index", matches, call)
