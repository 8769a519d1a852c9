"""Bedrock AgentCore applications: their handler is called without their web server."""

from collections.abc import Awaitable
from typing import Any, Union

from .answers import Answer
from .base import Adapter, Emit, comes_from, has
from .function import call_with


def matches(value: Any) -> bool:
    """An application with a registered entry point."""
    return comes_from(value, "bedrock_agentcore") and has(value, "handlers")


def call(app: Any, query: str, emit: Emit) -> Union[Answer, Awaitable[Answer]]:
    """Call the main handler with the payload of an invocation."""
    return call_with(app.handlers["main"], {"prompt": query}, emit)


ADAPTER = Adapter("agentcore", matches, call)
