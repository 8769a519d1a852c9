"""Agent frameworks, each in a file of its own: how to know its objects, how to call them.

To add one: copy `agno.py`, and add its line to the registry.
"""

from typing import Any, Optional

from . import (
    agentcore,
    agno,
    crewai,
    google_adk,
    langchain,
    langgraph,
    llama_index,
    openai_agents,
    pydantic_ai,
    smolagents,
    strands,
)
from .base import Adapter

REGISTRY: tuple[Adapter, ...] = (
    strands.ADAPTER,
    langgraph.ADAPTER,
    langchain.ADAPTER,
    pydantic_ai.ADAPTER,
    openai_agents.ADAPTER,
    google_adk.ADAPTER,
    crewai.ADAPTER,
    llama_index.ADAPTER,
    agentcore.ADAPTER,
    smolagents.ADAPTER,
    agno.ADAPTER,
)
"""The known frameworks, in the order of asking."""


def framework_of(value: Any) -> Optional[Adapter]:
    """The framework whose object this is."""
    return next((adapter for adapter in REGISTRY if adapter.matches(value)), None)
