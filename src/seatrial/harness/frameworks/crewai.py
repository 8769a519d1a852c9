"""CrewAI: Crew, Flow and Agent. Streams nothing by default."""

from typing import Any

from .answers import Answer, usage_of
from .base import Adapter, Emit, class_names, comes_from, has


def matches(value: Any) -> bool:
    """A crew, a flow or an agent."""
    kinds = class_names(value) & {"Crew", "Flow", "Agent"}
    return comes_from(value, "crewai") and bool(kinds) and has(value, "kickoff")


def call(crew: Any, query: str, emit: Emit) -> Answer:
    """Crews and flows take inputs by name, a single agent takes the query."""
    if class_names(crew) & {"Crew", "Flow"}:
        result = crew.kickoff(inputs={"query": query})
    else:
        result = crew.kickoff(query)
    usage = getattr(result, "token_usage", None) or getattr(result, "usage_metrics", None)
    raw = getattr(result, "raw", None)
    return Answer(None, raw, usage_of(usage)) if isinstance(raw, str) else Answer(result)


ADAPTER = Adapter("crewai", matches, call)
