"""Strands on Bedrock and on Ollama, also with Ollama's address in the code."""

from probe import ARN, CLAUDE, HELLO, WRONG, Notes, endless, leave_by_dying, weather
from strands import Agent, tool
from strands.models import BedrockModel
from strands.models.ollama import OllamaModel

HARD_CODED = "http://localhost:11434"


def agent(model, **more):
    return Agent(model=model, callback_handler=None, **more)


async def pieces(model):
    return [e["data"] async for e in agent(model).stream_async(HELLO) if e.get("data")]


MODELS = {
    "strands bedrock": lambda model=CLAUDE: BedrockModel(model_id=model),
    "strands ollama": lambda model="scripted": OllamaModel(host=None, model_id=model),
    "strands ollama with its address": lambda model="scripted": OllamaModel(
        host=HARD_CODED, model_id=model
    ),
}
OTHERS = {"strands bedrock": "amazon.nova-pro-v1:0"}


def ask_for_ever(name):
    """Ask, and print when the first piece of the answer is there."""

    def heard(**event):
        if event.get("data"):
            print("first", flush=True)

    Agent(model=MODELS[name](), callback_handler=heard)(endless(name))


def gone(name):
    return leave_by_dying(f"import agent; agent.ask_for_ever({name!r})")


async def run(query):
    notes = Notes()
    for name, make in MODELS.items():
        await notes.take_async(
            name,
            answer=lambda make=make: str(agent(make())(HELLO)).strip(),
            stream=lambda make=make: pieces(make()),
            tool=lambda make=make: str(agent(make(), tools=[tool(weather)])(HELLO)).strip(),
            refused=lambda make=make, name=name: agent(make(OTHERS.get(name, "other")))(HELLO),
            error=lambda make=make: agent(make())(WRONG),
            gone=lambda name=name: gone(name),
        )
    whole = BedrockModel(model_id=ARN, streaming=False)
    await notes.take_async("strands whole", answer=lambda: str(agent(whole)(HELLO)).strip())
    return notes.written()
