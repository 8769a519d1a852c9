"""Bodies of Ollama's own API. Images are base64; tools are functions of the client."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.gateway.reach.shapes import FREE, SCHEMA, Node, embedded

from . import openai

_IMAGES = Node(check=embedded)
_CHAT = {
    "images": _IMAGES,
    "format": SCHEMA,
    "messages": Node(
        {
            "images": _IMAGES,
            "tool_calls": Node({"function": Node({"arguments": FREE})}),
        }
    ),
    "tools": openai.TOOL,
}

CHAT = Node({**_CHAT})
"""Of `/api/chat`, `/api/generate`, `/api/embed` and `/api/embeddings`."""

SHOW = Node()
"""Of `/api/show`."""

BODIES: Mapping[str, Node] = {
    "/api/chat": CHAT,
    "/api/generate": CHAT,
    "/api/embed": CHAT,
    "/api/embeddings": CHAT,
    "/api/show": SHOW,
}
"""By path."""
