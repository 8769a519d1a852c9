"""LangGraph agents on the models of each provider."""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrockConverse
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from probe import CLAUDE, HELLO, WRONG, Notes, endless, leave_by_cancelling, weather

MODELS = {
    "langgraph ollama": (ChatOllama, "scripted", "other"),
    "langgraph openai": (ChatOpenAI, "gpt-x", "gpt-y"),
    "langgraph anthropic": (ChatAnthropic, "claude-x", "claude-y"),
    "langgraph bedrock": (ChatBedrockConverse, CLAUDE, "amazon.nova-pro-v1:0"),
}


def asked(text):
    return {"messages": [{"role": "user", "content": text}]}


async def answer(model, text=HELLO, tools=()):
    done = await create_agent(model, list(tools)).ainvoke(asked(text))
    return done["messages"][-1].text


async def pieces(model, text):
    graph = create_agent(model, [])
    async for chunk, _ in graph.astream(asked(text), stream_mode="messages"):
        if chunk.text:
            yield chunk.text


async def stream(model):
    return [piece async for piece in pieces(model, HELLO)]


async def run(query):
    notes = Notes()
    for name, (kind, model, other) in MODELS.items():
        calls = {
            "answer": lambda kind=kind, model=model: answer(kind(model=model)),
            "stream": lambda kind=kind, model=model: stream(kind(model=model)),
            "tool": lambda kind=kind, model=model: answer(kind(model=model), tools=[weather]),
            "refused": lambda kind=kind, other=other: answer(kind(model=other)),
            "error": lambda kind=kind, model=model: answer(kind(model=model), WRONG),
        }
        if kind is not ChatBedrockConverse:  # boto3 waits in a thread, which nothing cancels
            calls["gone"] = lambda kind=kind, model=model, name=name: leave_by_cancelling(
                pieces(kind(model=model), endless(name))
            )
        await notes.take_async(name, **calls)
    return notes.written()
