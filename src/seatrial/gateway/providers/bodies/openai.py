"""Bodies of OpenAI's API, with what compatible services (vLLM, LiteLLM, OpenRouter) add.

`store` passes: the Responses API stores by default, what it stores stays in the account, and a
test may refer only to what it received itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from seatrial.domain.allowances import HOSTED_TOOLS, ROUTING, STORED_OBJECTS
from seatrial.gateway.reach.shapes import FREE, SCHEMA, Kinds, Node, embedded, needs, reference, url

_HOSTED = needs(HOSTED_TOOLS, "switches on a tool that the provider runs")
_TOOLS = Kinds(
    "tool",
    plain=frozenset({"function", "custom", "local_shell", "apply_patch", "namespace"}),
    # The client carries these out: the service only answers with a call.
    patterns=(r"computer(_use(_preview(_\d+)*)?)?",),
    reaching={
        r"(web_search|web_fetch|file_search|code_interpreter|image_generation|mcp|shell).*": (
            HOSTED_TOOLS
        )
    },
    unknown=HOSTED_TOOLS,
)
"""Tools that only make the model answer with a call pass; the others are the provider's own."""

TOOL = Node(
    {
        "type": Node(check=_TOOLS),
        "function": Node({"parameters": SCHEMA}),
        "parameters": SCHEMA,
        "input_schema": SCHEMA,
        "format": FREE,
        "container": Node(check=_HOSTED, deep=True),
        "environment": Node(check=_HOSTED, deep=True),
        "skills": Node(check=_HOSTED, deep=True),
    }
)
TOOL.add(tools=TOOL)
TOOL_CHOICE = Node({"type": Node(check=Kinds("tool", _TOOLS.plain | {"auto", "none", "required",
    "any", "tool", "allowed_tools"}, _TOOLS.patterns, _TOOLS.reaching, HOSTED_TOOLS)),
    "tools": TOOL, "allowed_tools": Node({"tools": TOOL})})  # fmt: skip

_ROUTING = Node(
    check=needs(ROUTING, "chooses where and how the service routes the call"), deep=True
)
_BACKGROUND = Node(check=needs(STORED_OBJECTS, "lets the provider go on after the call"))
_FORMAT = Node({"schema": SCHEMA, "json_schema": Node({"schema": SCHEMA})})
_FILE_DATA = Node(check=embedded)

_COMMON = {
    "tools": TOOL,
    "functions": Node({"parameters": SCHEMA}),
    "tool_choice": TOOL_CHOICE,
    "response_format": _FORMAT,
    "metadata": FREE,
    "logit_bias": FREE,
    "guided_json": SCHEMA,
    "structured_outputs": Node({"json": SCHEMA}),
    "conversation": Node(check=reference("a conversation"), deep=True),
    "background": _BACKGROUND,
    "container": Node(check=reference("a container"), deep=True),
    "plugins": Node(check=_HOSTED, deep=True),
    "web_search_options": Node(check=_HOSTED, deep=True),
    "search_parameters": Node(check=_HOSTED, deep=True),
    "guardrails": _ROUTING,
    "provider": _ROUTING,
    "route": _ROUTING,
    "preset": _ROUTING,
}

_IMAGE = Node(check=url, fields={"url": Node(check=url)})
_URLS = {"image_url": _IMAGE, "video_url": _IMAGE, "audio_url": _IMAGE, "file_url": _IMAGE}

# --------------------------------------------------------------------------- chat completions

_CHAT_CONTENT = Node(
    {
        **_URLS,
        "type": Node(
            check=Kinds(
                "content",
                frozenset(
                    {"text", "refusal", "image_url", "input_audio", "file", "video_url",
                     "audio_url", "thinking", "redacted_thinking", "input_text", "output_text"}
                ),
            )
        ),
        "file": Node({"file_data": _FILE_DATA}),
        "annotations": FREE,
    }
)  # fmt: skip
CHAT = Node(
    {
        **_COMMON,
        "messages": Node(
            {
                "content": _CHAT_CONTENT,
                "audio": Node({"id": Node(check=reference("an audio answer"))}),
                "tool_calls": Node({"function": Node({"arguments": FREE}), "custom": FREE}),
                "function_call": FREE,
                "annotations": FREE,
                "citations": FREE,
                "images": _CHAT_CONTENT,
                "reasoning_details": FREE,
                "metadata": FREE,
            }
        ),
    }
)
"""Of `/chat/completions`."""

PLAIN = Node(_COMMON)
"""Of `/completions` and `/embeddings`: texts, or numbers of tokens."""

PLAIN.add(input=Node(_URLS | {"content": _CHAT_CONTENT}), messages=CHAT.fields["messages"])

# --------------------------------------------------------------------------- responses

_CONTENT = Node(
    {
        **_URLS,
        "type": Node(
            check=Kinds(
                "content",
                frozenset(
                    {"text", "input_text", "output_text", "refusal", "input_image", "input_file",
                     "input_audio", "summary_text", "reasoning_text", "computer_screenshot"}
                ),
            )
        ),
        "file_data": _FILE_DATA,
        "annotations": FREE,
        "logprobs": FREE,
        "outcome": FREE,
    }
)  # fmt: skip
_ITEM = Node(
    {
        **_URLS,
        "type": Node(
            check=Kinds(
                "input",
                frozenset(
                    {"message", "function_call", "function_call_output", "custom_tool_call",
                     "custom_tool_call_output", "reasoning", "item_reference", "local_shell_call",
                     "local_shell_call_output", "apply_patch_call", "apply_patch_call_output",
                     "computer_call", "computer_call_output", "compaction"}
                    # Content may stand here without a message around it.
                    | {"text", "input_text", "output_text", "input_image", "input_file",
                       "input_audio"}
                ),
                reaching={
                    r"(web_search|file_search|code_interpreter|image_generation|mcp|shell)_.*": (
                        HOSTED_TOOLS
                    )
                },
                unknown=HOSTED_TOOLS,
            )
        ),
        "id": Node(check=reference("an item of an answer")),
        "content": _CONTENT,
        "summary": _CONTENT,
        "output": _CONTENT,
        "file_data": _FILE_DATA,
        "container_id": Node(check=reference("a container")),
        "action": FREE,
        "arguments": FREE,
        "operation": FREE,
        "results": FREE,
        "error": FREE,
        "tools": FREE,
        "pending_safety_checks": FREE,
        "acknowledged_safety_checks": FREE,
    }
)  # fmt: skip
RESPONSES = Node(
    {
        **_COMMON,
        "input": _ITEM,
        "instructions": _ITEM,
        "text": Node({"format": _FORMAT}),
        "previous_response_id": Node(check=reference("an answer")),
        "prompt": Node(
            check=needs(STORED_OBJECTS, "uses a prompt that the account stores"),
            fields={"variables": _CONTENT},
        ),
    }
)
"""Of `/responses`."""

BODIES: Mapping[str, Node] = {
    "/chat/completions": CHAT,
    "/completions": PLAIN,
    "/responses": RESPONSES,
    "/embeddings": PLAIN,
}
"""By path."""


def ids(value: Mapping[str, Any]) -> Iterator[str]:
    """The ids in an answer, or in one event of it, that a later call may refer to.

    Only fields that the service itself fills: arguments of tools are the model's words, and so
    may be the agent's.
    """
    for holder in (value, value.get("response"), value.get("item")):
        if isinstance(holder, dict):
            yield from _own_ids(cast("Mapping[str, Any]", holder))
            yield from _each(cast("Mapping[str, Any]", holder).get("output"))
    for choice in _objects(value.get("choices")):
        for field in ("message", "delta"):
            message = choice.get(field)
            if isinstance(message, dict):
                yield from _each([cast("Mapping[str, Any]", message).get("audio")])


def _each(items: object) -> Iterator[str]:
    for item in _objects(items):
        yield from _own_ids(item)


def _own_ids(item: Mapping[str, Any]) -> Iterator[str]:
    for name in ("id", "container_id"):
        if isinstance(item.get(name), str):
            yield item[name]


def _objects(value: object) -> list[Mapping[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, dict)]
