"""Bodies and beta features of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from seatrial.domain.allowances import HOSTED_TOOLS, STORED_OBJECTS
from seatrial.gateway.reach.shapes import FREE, SCHEMA, Kinds, Node, needs, reference

_HOSTED = needs(HOSTED_TOOLS, "switches on a tool that the provider runs")
TOOL_KINDS = Kinds(
    "tool",
    plain=frozenset({"custom"}),
    # The client carries these out: the service only answers with a call.
    patterns=(r"(bash|text_editor|computer|memory)_\d{8}",),
    reaching={
        r"(web_search|web_fetch|code_execution|tool_search_tool|mcp).*": HOSTED_TOOLS,
    },
    unknown=HOSTED_TOOLS,
)
"""Tools that only make the model answer with a call pass; the others are the provider's own."""

TOOL = Node(
    {
        "type": Node(check=TOOL_KINDS),
        "input_schema": SCHEMA,
        "input_examples": FREE,
    }
)

CONTENT_KINDS = Kinds(
    "content",
    plain=frozenset(
        {"text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking",
         "search_result", "compaction", "tool_reference"}
    ),
    reaching={
        r"container_upload": STORED_OBJECTS,
        r"(server_tool_use|mcp_.*|(web_search|web_fetch|code_execution|bash_code_execution"
        r"|text_editor_code_execution|tool_search)_tool_.*)": HOSTED_TOOLS,
    },
)  # fmt: skip
SOURCE_KINDS = Kinds(
    "source",
    plain=frozenset({"base64", "text", "content", "url"}),
    reaching={r"file": STORED_OBJECTS},
)

CONTENT = Node(
    {"type": Node(check=CONTENT_KINDS), "input": FREE, "citations": FREE, "cache_control": FREE}
)
SOURCE = Node({"type": Node(check=SOURCE_KINDS), "content": CONTENT})
CONTENT.add(content=CONTENT, source=SOURCE)

BETAS = Kinds(
    "beta feature",
    plain=frozenset(),
    patterns=(
        r"(context-1m|context-management|interleaved-thinking|fine-grained-tool-streaming"
        r"|prompt-caching|extended-cache-ttl|prompt-caching-scope|max-tokens-3-5-sonnet"
        r"|output-128k|token-efficient-tools|computer-use|token-counting|pdfs|structured-outputs"
        r"|advanced-tool-use|tool-examples|tool-search-tool|effort|compact|dev-full-thinking"
        r"|model-context-window-exceeded|message-batches|fast-mode|adaptive-thinking)-[0-9-]+",
    ),
    reaching={
        r"(mcp-client|code-execution|web-search|web-fetch|skills|programmatic).*": HOSTED_TOOLS,
        r"files-api.*": STORED_OBJECTS,
    },
)
"""Features of the model alone pass."""

MESSAGES = Node(
    {
        "messages": Node({"content": CONTENT}),
        "system": CONTENT,
        "tools": TOOL,
        "tool_choice": FREE,
        "output_format": Node({"schema": SCHEMA}),
        "output_config": Node({"format": Node({"schema": SCHEMA})}),
        "metadata": FREE,
        "mcp_servers": Node(check=_HOSTED, deep=True),
        "container": Node(
            check=reference("a container"),
            fields={
                "id": Node(check=reference("a container")),
                "skills": Node(check=_HOSTED, deep=True),
            },
        ),
        "betas": Node(check=BETAS),
        "anthropic_beta": Node(check=BETAS),
    }
)
"""Of `/v1/messages` and `/v1/messages/count_tokens`."""


def ids(value: Mapping[str, Any]) -> Iterator[str]:
    """The id of the container in an answer, or in one event of it."""
    for name in ("message", "delta"):
        if isinstance(value.get(name), dict):
            yield from _container(value[name])
    yield from _container(value)


def _container(value: Mapping[str, Any]) -> Iterator[str]:
    found = value.get("container")
    if isinstance(found, dict):
        container = cast("Mapping[str, Any]", found).get("id")
        if isinstance(container, str):
            yield container
