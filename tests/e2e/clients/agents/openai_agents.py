"""OpenAI's Agents SDK, on the Responses API and on chat completions."""

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
from openai import AsyncOpenAI
from probe import HELLO, WRONG, Notes, endless, leave_by_cancelling, weather

MODELS = {
    "openai-agents responses": lambda name: name,
    "openai-agents chat": lambda name: OpenAIChatCompletionsModel(name, AsyncOpenAI()),
}


def agent(model, tools=()):
    return Agent(name="a", model=model, tools=list(tools))


async def answer(model, text=HELLO, tools=()):
    return (await Runner.run(agent(model, tools), text)).final_output


async def pieces(model, text):
    result = Runner.run_streamed(agent(model), text)
    try:
        async for event in result.stream_events():
            delta = getattr(getattr(event, "data", None), "delta", None)
            if isinstance(delta, str):
                yield delta
    finally:
        result.cancel()


async def stream(model):
    return [piece async for piece in pieces(model, HELLO)]


async def run(query):
    notes = Notes()
    for name, make in MODELS.items():
        await notes.take_async(
            name,
            answer=lambda make=make: answer(make("gpt-x")),
            stream=lambda make=make: stream(make("gpt-x")),
            tool=lambda make=make: answer(make("gpt-x"), tools=[function_tool(weather)]),
            refused=lambda make=make: answer(make("gpt-y")),
            error=lambda make=make: answer(make("gpt-x"), WRONG),
            gone=lambda make=make, name=name: leave_by_cancelling(
                pieces(make("gpt-x"), endless(name))
            ),
        )
    return notes.written()
