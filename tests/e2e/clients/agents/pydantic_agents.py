"""PydanticAI on the models of each provider."""

import time

from probe import CLAUDE, HELLO, WRONG, Notes, endless, weather
from pydantic_ai import Agent

MODELS = {
    "ollama:scripted": "ollama:other",
    "openai:gpt-x": "openai:gpt-y",
    "openai-chat:gpt-x": "openai-chat:gpt-y",
    "anthropic:claude-x": "anthropic:claude-y",
    f"bedrock:{CLAUDE}": "bedrock:amazon.nova-pro-v1:0",
}


async def answer(model, text=HELLO, tools=()):
    return (await Agent(model, tools=list(tools)).run(text)).output


async def stream(model):
    async with Agent(model).run_stream(HELLO) as result:
        return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]


async def gone(model):
    async with Agent(model).run_stream(endless(f"pydantic-ai {model}")) as result:
        async for _ in result.stream_text(delta=True, debounce_by=None):
            break
        await result.cancel()
    return time.time()


async def run(query):
    notes = Notes()
    for model, other in MODELS.items():
        calls = {
            "answer": lambda model=model: answer(model),
            "stream": lambda model=model: stream(model),
            "tool": lambda model=model: answer(model, tools=[weather]),
            "refused": lambda other=other: answer(other),
            "error": lambda model=model: answer(model, WRONG),
            "gone": lambda model=model: gone(model),
        }
        await notes.take_async(f"pydantic-ai {model}", **calls)
    return notes.written()
