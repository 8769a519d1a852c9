"""Google's Agent Development Kit."""

import importlib
from typing import Any

from .answers import Answer, add_usage, usage_of
from .base import Adapter, Emit, class_names, comes_from, has


def matches(value: Any) -> bool:
    """Any agent of the kit."""
    return (
        comes_from(value, "google.adk")
        and "BaseAgent" in class_names(value)
        and has(value, "run_async")
    )


async def call(agent: Any, query: str, emit: Emit) -> Answer:
    """Run in a session of its own; the final response's parts are the answer."""
    runners: Any = importlib.import_module("google.adk.runners")
    types: Any = importlib.import_module("google.genai.types")
    runner = runners.InMemoryRunner(agent=agent, app_name="agent")
    session = await runner.session_service.create_session(app_name="agent", user_id="user")
    message = types.Content(role="user", parts=[types.Part(text=query)])
    text, usage = "", {}
    async for event in runner.run_async(user_id="user", session_id=session.id, new_message=message):
        metadata = getattr(event, "usage_metadata", None)
        counts = {
            "input_tokens": getattr(metadata, "prompt_token_count", None) or 0,
            "output_tokens": getattr(metadata, "candidates_token_count", None) or 0,
        }
        usage = add_usage(usage, usage_of(counts))
        if event.is_final_response() and event.content and event.content.parts:
            text = "".join(part.text or "" for part in event.content.parts)
            emit(text)
    return Answer(None, text, usage)


ADAPTER = Adapter("google_adk", matches, call)
