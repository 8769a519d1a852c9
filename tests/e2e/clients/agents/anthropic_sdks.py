"""The anthropic client, and LangChain on it."""

import anthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from probe import HELLO, PARAMETERS, WRONG, Notes, endless, leave_after_first, weather

TOOLS = [{"name": "weather", "description": "w", "input_schema": PARAMETERS}]
CLIENT = anthropic.Anthropic()


def ask(messages, model="claude-x", **more):
    return CLIENT.messages.create(model=model, max_tokens=9, messages=messages, **more).content


def answer(text=HELLO, model="claude-x"):
    return ask([{"role": "user", "content": text}], model)[0].text


def streaming(text):
    said = [{"role": "user", "content": text}]
    return CLIENT.messages.stream(model="claude-x", max_tokens=9, messages=said)


def stream():
    with streaming(HELLO) as events:
        return list(events.text_stream)


def call_tool():
    said = [{"role": "user", "content": HELLO}]
    asked = ask(said, tools=TOOLS)
    told = {"type": "tool_result", "tool_use_id": asked[0].id, "content": weather(**asked[0].input)}
    turns = [{"role": "assistant", "content": asked}, {"role": "user", "content": [told]}]
    return ask([*said, *turns], tools=TOOLS)[0].text


def gone():
    with streaming(endless("anthropic")) as events:
        return leave_after_first(events.text_stream, events.close)


def langchain_tool():
    model = ChatAnthropic(model="claude-x").bind_tools([tool(weather)])
    asked = model.invoke(HELLO)
    call = asked.tool_calls[0]
    told = ToolMessage(weather(**call["args"]), tool_call_id=call["id"])
    return model.invoke([HumanMessage(HELLO), asked, told]).text


def langchain_gone():
    pieces = ChatAnthropic(model="claude-x").stream(endless("langchain-anthropic"))
    return leave_after_first(pieces, pieces.close)


def run(query):
    notes = Notes()
    notes.take(
        "anthropic",
        answer=answer,
        stream=stream,
        tool=call_tool,
        refused=lambda: answer(model="claude-y"),
        error=lambda: answer(WRONG),
        gone=gone,
    )
    notes.take(
        "langchain-anthropic",
        answer=lambda: ChatAnthropic(model="claude-x").invoke(HELLO).text,
        stream=lambda: [p.text for p in ChatAnthropic(model="claude-x").stream(HELLO) if p.text],
        tool=langchain_tool,
        refused=lambda: ChatAnthropic(model="claude-y").invoke(HELLO),
        error=lambda: ChatAnthropic(model="claude-x").invoke(WRONG),
        gone=langchain_gone,
    )
    return notes.written()
