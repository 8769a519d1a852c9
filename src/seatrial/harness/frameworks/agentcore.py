"""Bedrock AgentCore applications: their handler is called without their web server."""

import functools
import sys
from collections.abc import Awaitable
from typing import Any, Union

from .answers import Answer
from .base import Adapter, Emit, comes_from, has
from .function import call_with, takes


def matches(value: Any) -> bool:
    """An application with a registered entry point."""
    return comes_from(value, "bedrock_agentcore") and has(value, "handlers")


def call(app: Any, query: str, emit: Emit) -> Union[Answer, Awaitable[Answer]]:
    """Call the main handler with the payload of an invocation."""
    handler: Any = app.handlers["main"]
    if takes(handler, 1, "context"):
        handler = functools.partial(handler, context=_context(app))
    return call_with(handler, {"prompt": query}, emit)


def _context(app: Any) -> Any:
    """The context of an invocation outside of its server: it has no session and no request."""
    module = sys.modules.get("bedrock_agentcore.runtime.context")
    made = getattr(module, "RequestContext", None)
    return made() if callable(made) else None


ADAPTER = Adapter("agentcore", matches, call)
