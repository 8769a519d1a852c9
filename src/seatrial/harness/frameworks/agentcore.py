"""Bedrock AgentCore applications: their handler is called without their web server."""

from typing import Any

from .answers import Answer
from .base import Adapter, Emit, comes_from, has
from .function import call_with


def matches(value: Any) -> bool:
    """An application with a registered entry point."""
    return comes_from(value, "bedrock_agentcore") and has(value, "handlers")


async def call(app: Any, query: str, emit: Emit) -> Answer:
    """Call the main handler with the payload of an invocation."""
    return await call_with(app.handlers["main"], {"prompt": query}, emit)


ADAPTER = Adapter("agentcore", matches, call)
