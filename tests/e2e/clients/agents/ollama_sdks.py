"""The ollama client, by its variable and with Ollama's address in the code, and LangChain on it."""

import ollama
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_ollama import ChatOllama, OllamaEmbeddings
from probe import HELLO, WRONG, Notes, endless, leave_after_first, weather

HARD_CODED = "http://localhost:11434"


class Client:
    """One client of the SDK."""

    def __init__(self, client, name):
        self.client, self.name = client, name

    def answer(self, text=HELLO, model="scripted"):
        said = [{"role": "user", "content": text}]
        return self.client.chat(model, said).message.content

    def parts(self, text):
        return self.client.chat("scripted", [{"role": "user", "content": text}], stream=True)

    def stream(self):
        return [part.message.content for part in self.parts(HELLO) if part.message.content]

    def tool(self):
        said = [{"role": "user", "content": HELLO}]
        asked = self.client.chat("scripted", said, tools=[weather]).message
        call = asked.tool_calls[0].function
        result = {"role": "tool", "tool_name": call.name, "content": weather(**call.arguments)}
        return self.client.chat("scripted", [*said, asked, result], tools=[weather]).message.content

    def gone(self):
        parts = self.parts(endless(self.name))
        return leave_after_first(parts, parts.close)


def langchain_tool():
    model = ChatOllama(model="scripted").bind_tools([tool(weather)])
    asked = model.invoke(HELLO)
    call = asked.tool_calls[0]
    told = ToolMessage(weather(**call["args"]), tool_call_id=call["id"])
    return model.invoke([HumanMessage(HELLO), asked, told]).text


def langchain_gone():
    pieces = ChatOllama(model="scripted").stream(endless("langchain-ollama"))
    return leave_after_first(pieces, pieces.close)


def run(query):
    notes = Notes()
    by_variable = Client(ollama.Client(), "ollama")
    written = Client(ollama.Client(host=HARD_CODED), "ollama with its address")
    for client in (by_variable, written):
        notes.take(
            client.name,
            answer=client.answer,
            stream=client.stream,
            tool=client.tool,
            refused=lambda client=client: client.answer(model="other"),
            error=lambda client=client: client.answer(WRONG),
            gone=client.gone,
            embedding=lambda client=client: list(
                client.client.embed("vectors", HELLO).embeddings[0]
            ),
            older_embedding=lambda client=client: list(
                client.client.embeddings("vectors", HELLO).embedding
            ),
            refused_embedding=lambda client=client: client.client.embed("others", HELLO),
        )
    notes.take(
        "langchain-ollama",
        answer=lambda: ChatOllama(model="scripted").invoke(HELLO).text,
        stream=lambda: [p.text for p in ChatOllama(model="scripted").stream(HELLO) if p.text],
        tool=langchain_tool,
        refused=lambda: ChatOllama(model="other").invoke(HELLO),
        error=lambda: ChatOllama(model="scripted").invoke(WRONG),
        gone=langchain_gone,
        embedding=lambda: OllamaEmbeddings(model="vectors").embed_query(HELLO),
    )
    return notes.written()
