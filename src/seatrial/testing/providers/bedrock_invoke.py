"""What Bedrock's InvokeModel answers: the format of the model's maker."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from . import anthropic_messages
from .bedrock_events import encode_event
from .script import INPUT_TOKENS, OUTPUT_TOKENS, TEXT, VECTOR
from .wire import together

_METRICS = {"inputTokenCount": INPUT_TOKENS, "outputTokenCount": OUTPUT_TOKENS}


def embeds(model: str) -> bool:
    """Whether the model makes vectors, by its name."""
    return "embed" in model


def whole(model: str, call: Any) -> Mapping[str, Any]:
    """The answer in one piece: Cohere's and Titan's vectors, Anthropic's and Titan's texts."""
    if embeds(model) and "cohere" in model:
        texts: list[str] = call["texts"]
        kind = {"id": "scripted", "response_type": "embeddings_floats", "texts": texts}
        return {**kind, "embeddings": [list(VECTOR) for _ in texts]}
    if embeds(model):
        vector = list(VECTOR)
        return {
            "embedding": vector,
            "embeddingsByType": {"float": vector},
            "inputTextTokenCount": INPUT_TOKENS,
        }
    if "anthropic" in model:
        return anthropic_messages.whole(model, call)
    result = {"tokenCount": OUTPUT_TOKENS, "outputText": "".join(TEXT)}
    return {"inputTextTokenCount": INPUT_TOKENS, "results": [result]}


def pieces(model: str, call: Any) -> tuple[list[bytes], bytes]:
    """The events of a stream. Its last one carries Bedrock's own counts."""
    if "anthropic" in model:
        events, ending = anthropic_messages.events(model, call)
        opening = anthropic_messages.OPENING
    else:
        events = [{"index": n, "outputText": text} for n, text in enumerate(TEXT)]
        opening = 0
        ending = [{"index": len(TEXT), "outputText": "", "completionReason": "FINISH"}]
    ending = [*ending[:-1], {**ending[-1], "amazon-bedrock-invocationMetrics": _METRICS}]
    pieces = together([_chunk(value) for value in events], opening)
    return pieces, b"".join(_chunk(value) for value in ending)


def _chunk(value: Mapping[str, Any]) -> bytes:
    return encode_event("chunk", {"bytes": base64.b64encode(json.dumps(value).encode()).decode()})
