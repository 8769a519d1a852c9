"""boto3's four operations, AnthropicBedrock and LangChain, on one Bedrock."""

import json

import boto3
from anthropic import AnthropicBedrock
from langchain_aws import BedrockEmbeddings, ChatBedrockConverse
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from probe import (
    ARN,
    CLAUDE,
    COHERE,
    HELLO,
    PARAMETERS,
    TITAN,
    WRONG,
    Notes,
    endless,
    leave_after_first,
    weather,
)

SPEC = {"name": "weather", "description": "w", "inputSchema": {"json": PARAMETERS}}
NATIVE_TOOL = {"name": "weather", "description": "w", "input_schema": PARAMETERS}


def turn(text, role="user"):
    return {"role": role, "content": [{"text": text}]}


def native(text, **more):
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, **more}
    return json.dumps({**body, "messages": [{"role": "user", "content": text}]})


class Converse:
    """boto3's converse and converse_stream, with a region in the code that is not the server's."""

    def __init__(self, client):
        self.client = client

    def answer(self, text=HELLO, model=ARN):
        done = self.client.converse(modelId=model, messages=[turn(text)])
        return done["output"]["message"]["content"][0]["text"]

    def events(self, text):
        return self.client.converse_stream(modelId=CLAUDE, messages=[turn(text)])["stream"]

    def stream(self):
        deltas = [e["contentBlockDelta"] for e in self.events(HELLO) if "contentBlockDelta" in e]
        return [delta["delta"]["text"] for delta in deltas]

    def tool(self):
        given = {"modelId": ARN, "toolConfig": {"tools": [{"toolSpec": SPEC}]}}
        asked = self.client.converse(messages=[turn(HELLO)], **given)["output"]["message"]
        use = asked["content"][0]["toolUse"]
        told = {"toolUseId": use["toolUseId"], "content": [{"text": weather(**use["input"])}]}
        result = {"role": "user", "content": [{"toolResult": told}]}
        done = self.client.converse(messages=[turn(HELLO), asked, result], **given)
        return done["output"]["message"]["content"][0]["text"]

    def gone(self):
        events = self.events(endless("boto3 converse"))
        return leave_after_first(events, events.close)


class Invoke:
    """boto3's invoke_model and invoke_model_with_response_stream."""

    client = boto3.client("bedrock-runtime")

    def answer(self, text=HELLO, model=CLAUDE, **more):
        done = self.client.invoke_model(modelId=model, body=native(text, **more))
        return json.loads(done["body"].read())["content"][0].get("text", "")

    def events(self, text):
        call = self.client.invoke_model_with_response_stream
        return call(modelId=CLAUDE, body=native(text))["body"]

    def stream(self):
        chunks = [json.loads(event["chunk"]["bytes"]) for event in self.events(HELLO)]
        return [chunk["delta"]["text"] for chunk in chunks if "text" in chunk.get("delta", {})]

    def gone(self):
        events = self.events(endless("boto3 invoke"))
        return leave_after_first(events, events.close)

    def embed(self, model, **body):
        done = self.client.invoke_model(modelId=model, body=json.dumps(body))
        return json.loads(done["body"].read())

    def titan(self):
        return self.embed(TITAN, inputText=HELLO)["embedding"]

    def cohere(self):
        return self.embed(COHERE, texts=[HELLO], input_type="search_query")["embeddings"][0]


class Anthropic:
    """AnthropicBedrock."""

    client = AnthropicBedrock()

    def ask(self, messages, model=CLAUDE, **more):
        return self.client.messages.create(
            model=model, max_tokens=9, messages=messages, **more
        ).content

    def answer(self, text=HELLO, model=CLAUDE):
        return self.ask([{"role": "user", "content": text}], model)[0].text

    def streaming(self, text):
        said = [{"role": "user", "content": text}]
        return self.client.messages.stream(model=CLAUDE, max_tokens=9, messages=said)

    def stream(self):
        with self.streaming(HELLO) as stream:
            return list(stream.text_stream)

    def tool(self):
        said = [{"role": "user", "content": HELLO}]
        asked = self.ask(said, tools=[NATIVE_TOOL])
        result = {"type": "tool_result", "tool_use_id": asked[0].id}
        told = {**result, "content": weather(**asked[0].input)}
        turns = [{"role": "assistant", "content": asked}, {"role": "user", "content": [told]}]
        return self.ask([*said, *turns], tools=[NATIVE_TOOL])[0].text

    def gone(self):
        with self.streaming(endless("AnthropicBedrock")) as stream:
            return leave_after_first(stream.text_stream, stream.close)


class LangChain:
    """ChatBedrockConverse and BedrockEmbeddings."""

    def model(self, name=CLAUDE):
        provider = {"provider": "amazon"} if name.startswith("arn:") else {}
        return ChatBedrockConverse(model=name, **provider)

    def answer(self):
        return self.model(ARN).invoke(HELLO).text

    def stream(self):
        return [piece.text for piece in self.model().stream(HELLO) if piece.text]

    def tool(self):
        model = self.model().bind_tools([tool(weather)])
        asked = model.invoke(HELLO)
        call = asked.tool_calls[0]
        told = ToolMessage(weather(**call["args"]), tool_call_id=call["id"])
        return model.invoke([HumanMessage(HELLO), asked, told]).text

    def gone(self):
        pieces = self.model().stream(endless("langchain-aws"))
        return leave_after_first(pieces, pieces.close)


def run(query):
    notes = Notes()
    converse = Converse(boto3.client("bedrock-runtime", region_name="us-west-2"))
    invoke, anthropic, langchain = Invoke(), Anthropic(), LangChain()
    # Its profile exists in no container but for its name in this file.
    profile = Converse(boto3.Session(profile_name="seatrial-dev").client("bedrock-runtime"))
    notes.take("boto3 with a profile", answer=profile.answer, stream=profile.stream)
    for name, client in (("boto3 converse", converse), ("AnthropicBedrock", anthropic)):
        notes.take(
            name,
            answer=client.answer,
            stream=client.stream,
            tool=client.tool,
            refused=lambda client=client: client.answer(model="amazon.nova-pro-v1:0"),
            error=lambda client=client: client.answer(WRONG),
            gone=client.gone,
        )
    notes.take(
        "boto3 invoke",
        answer=invoke.answer,
        stream=invoke.stream,
        refused=lambda: invoke.answer(model="anthropic.claude-other-v1:0"),
        error=lambda: invoke.answer(WRONG),
        gone=invoke.gone,
        titan=invoke.titan,
        cohere=invoke.cohere,
        refused_embedding=lambda: invoke.embed("amazon.titan-embed-text-v1", inputText=HELLO),
    )
    notes.take(
        "langchain-aws",
        answer=langchain.answer,
        stream=langchain.stream,
        tool=langchain.tool,
        refused=lambda: langchain.model("amazon.nova-pro-v1:0").invoke(HELLO),
        error=lambda: langchain.model().invoke(WRONG),
        gone=langchain.gone,
        titan=lambda: BedrockEmbeddings(model_id=TITAN).embed_query(HELLO),
        cohere=lambda: BedrockEmbeddings(model_id=COHERE).embed_query(HELLO),
    )
    return notes.written()
