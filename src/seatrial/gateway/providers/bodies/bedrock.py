"""Bodies of Bedrock's Converse and InvokeModel.

InvokeModel takes what each vendor's models take: one description for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.domain.allowances import HOSTED_TOOLS, NEVER, STORED_OBJECTS
from seatrial.gateway.reach.shapes import FREE, SCHEMA, Kinds, Node, needs, s3_bucket

from . import anthropic, openai

_SOURCE = Node(closed="source")
_MEDIA = Node({"source": _SOURCE, "citations": FREE})
_SOURCE.add(
    bytes=FREE,
    text=FREE,
    s3Location=Node({"uri": Node(check=s3_bucket)}),
)
_GUARD = Node({"image": _MEDIA})
_CONTENT = Node(closed="content")
_RESULT = Node(closed="content")
_BLOCKS = {
    "text": FREE,
    "image": _MEDIA,
    "document": _MEDIA,
    "video": _MEDIA,
    "audio": _MEDIA,
    "searchResult": Node({"source": FREE, "content": FREE, "title": FREE, "citations": FREE}),
}
_CONTENT.add(
    **_BLOCKS,
    toolUse=Node({"input": FREE}),
    toolResult=Node({"content": _RESULT}),
    guardContent=_GUARD,
    cachePoint=FREE,
    reasoningContent=FREE,
    citationsContent=FREE,
)
_RESULT.add(**_BLOCKS, json=FREE)
_SOURCE.add(content=_CONTENT)
_TOOL = Node(
    {
        "toolSpec": Node({"inputSchema": Node({"json": SCHEMA})}),
        "cachePoint": FREE,
        "systemTool": Node(
            check=needs(HOSTED_TOOLS, "switches on a tool that the provider runs"), deep=True
        ),
    },
    closed="tool",
)
_GUARDRAIL = Node(check=needs(STORED_OBJECTS, "uses a guardrail of the account"), deep=True)
_TOOL_CONFIG = Node({"tools": _TOOL, "toolChoice": FREE})

# --------------------------------------------------------------------------- InvokeModel

_INVOKE_CONTENT = Node(
    {
        **anthropic.CONTENT.fields,
        **openai.CHAT.fields["messages"].fields["content"].fields,
        **{name: node for name, node in _CONTENT.fields.items() if name != "text"},
        "type": Node(
            check=Kinds(
                "content",
                anthropic.CONTENT_KINDS.plain
                | {"image_url", "refusal", "input_text", "output_text", "input_audio"},
                reaching=anthropic.CONTENT_KINDS.reaching,
            )
        ),
    }
)
_INVOKE_SOURCE = Node(
    {
        "type": Node(check=anthropic.SOURCE_KINDS),
        "bytes": FREE,
        "s3Location": Node({"uri": Node(check=s3_bucket)}),
        "content": _INVOKE_CONTENT,
    }
)
_INVOKE_CONTENT.add(content=_INVOKE_CONTENT, source=_INVOKE_SOURCE)
_INVOKE_TOOL = Node(
    {
        **openai.TOOL.fields,
        **anthropic.TOOL.fields,
        **_TOOL.fields,
        "type": Node(
            check=Kinds(
                "tool",
                frozenset({"function", "custom"}),
                anthropic.TOOL_KINDS.patterns,
                anthropic.TOOL_KINDS.reaching,
                HOSTED_TOOLS,
            )
        ),
        "parameter_definitions": FREE,
    }
)
INVOKE = Node(
    {
        **openai.CHAT.fields,
        **anthropic.MESSAGES.fields,
        "messages": Node({**openai.CHAT.fields["messages"].fields, "content": _INVOKE_CONTENT}),
        "system": _INVOKE_CONTENT,
        "tools": _INVOKE_TOOL,
        "toolConfig": _TOOL_CONFIG,
        "response_format": openai.CHAT.fields["responseformat"],
        "tool_choice": FREE,
        "documents": FREE,
    }
)
"""Of `/invoke`, and of what Converse passes on to a model as it is."""

CONVERSE = Node(
    {
        "messages": Node({"content": _CONTENT}),
        "system": _CONTENT,
        "toolConfig": _TOOL_CONFIG,
        "guardrailConfig": _GUARDRAIL,
        "promptVariables": FREE,
        "requestMetadata": FREE,
        "additionalModelRequestFields": INVOKE,
        "outputConfig": FREE,
    }
)
"""Of `/converse`."""

COUNT = Node(
    {
        "input": Node(
            {
                "converse": CONVERSE,
                "invokeModel": Node(
                    check=needs(NEVER, "is a body within the body; send `converse` instead")
                ),
            },
            closed="input",
        )
    }
)
"""Of `/count-tokens`."""

BODIES: Mapping[str, Node] = {
    "converse": CONVERSE,
    "converse-stream": CONVERSE,
    "invoke": INVOKE,
    "invoke-with-response-stream": INVOKE,
    "count-tokens": COUNT,
}
"""By operation."""
