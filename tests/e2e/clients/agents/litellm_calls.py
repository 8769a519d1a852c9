"""LiteLLM on every provider."""

import asyncio
import json

import litellm
from probe import (
    ARN,
    CLAUDE,
    HELLO,
    PARAMETERS,
    TITAN,
    WRONG,
    Notes,
    endless,
    leave_by_cancelling,
    weather,
)

FUNCTION = {"name": "weather", "description": "w", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]
MODELS = {
    "ollama_chat/scripted": "ollama_chat/other",
    "openai/gpt-x": "openai/gpt-y",
    "anthropic/claude-x": "anthropic/claude-y",
    f"bedrock/converse/{CLAUDE}": "bedrock/converse/amazon.nova-pro-v1:0",
}
"""Each provider's model, and one of it that the test does not offer."""


class Client:
    """One model."""

    def __init__(self, model):
        self.model = model

    def ask(self, messages, model=None, **more):
        given = {"model": model or self.model, "messages": messages, "num_retries": 0}
        return litellm.completion(**given, **more)

    def answer(self, text=HELLO, model=None):
        said = [{"role": "user", "content": text}]
        return self.ask(said, model).choices[0].message.content

    def pieces(self, text):
        return self.ask([{"role": "user", "content": text}], stream=True)

    def stream(self):
        texts = [piece.choices[0].delta.content for piece in self.pieces(HELLO)]
        return [text for text in texts if text]

    def tool(self):
        said = [{"role": "user", "content": HELLO}]
        asked = self.ask(said, tools=TOOLS).choices[0].message
        call = asked.tool_calls[0]
        told = weather(**json.loads(call.function.arguments))
        result = {"role": "tool", "tool_call_id": call.id, "name": "weather", "content": told}
        return self.ask([*said, asked, result], tools=TOOLS).choices[0].message.content

    async def pieces_later(self, text):
        said = [{"role": "user", "content": text}]
        given = {"model": self.model, "messages": said, "num_retries": 0, "stream": True}
        async for piece in await litellm.acompletion(**given):
            yield piece

    def gone(self):
        return asyncio.run(leave_by_cancelling(self.pieces_later(endless(f"litellm {self.model}"))))


def embed(model):
    data = litellm.embedding(model=model, input=[HELLO], num_retries=0).data
    return data[0]["embedding"]


def run(query):
    notes = Notes()
    for model, other in MODELS.items():
        client = Client(model)
        notes.take(
            f"litellm {model}",
            answer=client.answer,
            stream=client.stream,
            tool=client.tool,
            refused=lambda client=client, other=other: client.answer(model=other),
            error=lambda client=client: client.answer(WRONG),
            gone=client.gone,
        )
    notes.take(
        "litellm others",
        answer=lambda: Client(f"bedrock/converse/{ARN}").answer(),
        ollama=lambda: embed("ollama/vectors"),
        openai=lambda: embed("openai/vectors-x"),
        titan=lambda: embed(f"bedrock/{TITAN}"),
    )
    return notes.written()
