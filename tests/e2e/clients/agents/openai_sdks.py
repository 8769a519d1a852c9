"""The openai client with both its text APIs, and LangChain on it."""

import json

import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from probe import HELLO, PARAMETERS, WRONG, Notes, endless, leave_after_first, weather

FUNCTION = {"name": "weather", "description": "w", "parameters": PARAMETERS}


class Chat:
    """Chat completions."""

    client = openai.OpenAI()

    def ask(self, messages, model="gpt-x", **more):
        done = self.client.chat.completions.create(model=model, messages=messages, **more)
        return done.choices[0].message

    def answer(self, text=HELLO, model="gpt-x"):
        return self.ask([{"role": "user", "content": text}], model).content

    def chunks(self, text):
        said = [{"role": "user", "content": text}]
        return self.client.chat.completions.create(model="gpt-x", messages=said, stream=True)

    def stream(self):
        texts = [c.choices[0].delta.content for c in self.chunks(HELLO) if c.choices]
        return [text for text in texts if text]

    def tool(self):
        said = [{"role": "user", "content": HELLO}]
        tools = [{"type": "function", "function": FUNCTION}]
        asked = self.ask(said, tools=tools)
        call = asked.tool_calls[0]
        told = weather(**json.loads(call.function.arguments))
        result = {"role": "tool", "tool_call_id": call.id, "content": told}
        return self.ask([*said, asked, result], tools=tools).content

    def gone(self):
        chunks = self.chunks(endless("openai chat"))
        return leave_after_first(chunks, chunks.close)


class Responses:
    """The Responses API."""

    client = openai.OpenAI()

    def answer(self, text=HELLO, model="gpt-x"):
        return self.client.responses.create(model=model, input=text).output_text

    def stream(self):
        with self.client.responses.stream(model="gpt-x", input=HELLO) as events:
            return [e.delta for e in events if e.type == "response.output_text.delta"]

    def tool(self):
        tools = [{"type": "function", "strict": False, **FUNCTION}]
        said = [{"role": "user", "content": HELLO}]
        asked = self.client.responses.create(model="gpt-x", input=said, tools=tools).output
        told = weather(**json.loads(asked[0].arguments))
        result = {"type": "function_call_output", "call_id": asked[0].call_id, "output": told}
        turns = [*said, *asked, result]
        return self.client.responses.create(model="gpt-x", input=turns, tools=tools).output_text

    def gone(self):
        text = endless("openai responses")
        events = self.client.responses.create(model="gpt-x", input=text, stream=True)
        return leave_after_first(events, events.close)


def langchain_tool():
    model = ChatOpenAI(model="gpt-x").bind_tools([tool(weather)])
    asked = model.invoke(HELLO)
    call = asked.tool_calls[0]
    told = ToolMessage(weather(**call["args"]), tool_call_id=call["id"])
    return model.invoke([HumanMessage(HELLO), asked, told]).text


def langchain_gone():
    pieces = ChatOpenAI(model="gpt-x").stream(endless("langchain-openai"))
    return leave_after_first(pieces, pieces.close)


def embed(model="vectors-x", **more):
    return openai.OpenAI().embeddings.create(model=model, input=HELLO, **more).data[0].embedding


def langchain_embed():
    # Its count of tokens would fetch a table from the internet.
    made = OpenAIEmbeddings(model="vectors-x", check_embedding_ctx_length=False)
    return made.embed_query(HELLO)


def run(query):
    notes = Notes()
    for name, client in (("openai chat", Chat()), ("openai responses", Responses())):
        notes.take(
            name,
            answer=client.answer,
            stream=client.stream,
            tool=client.tool,
            refused=lambda client=client: client.answer(model="gpt-y"),
            error=lambda client=client: client.answer(WRONG),
            gone=client.gone,
        )
    notes.take(
        "openai embeddings",
        base64=embed,
        floats=lambda: embed(encoding_format="float"),
        refused_embedding=lambda: embed("vectors-y"),
    )
    notes.take(
        "langchain-openai",
        answer=lambda: ChatOpenAI(model="gpt-x").invoke(HELLO).text,
        stream=lambda: [p.text for p in ChatOpenAI(model="gpt-x").stream(HELLO) if p.text],
        tool=langchain_tool,
        refused=lambda: ChatOpenAI(model="gpt-y").invoke(HELLO),
        error=lambda: ChatOpenAI(model="gpt-x").invoke(WRONG),
        gone=langchain_gone,
        embedding=langchain_embed,
    )
    return notes.written()
