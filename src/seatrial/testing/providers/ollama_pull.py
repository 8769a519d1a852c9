"""What Ollama answers to a pull: its own words, in its own order, for layers that do not exist."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

LAYERS = (4_000_000, 1_200)
"""The bytes of each layer of every model; what is there of it is told in quarters."""

_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME = re.compile(rf"(?:[^/@]+/)?(?:[A-Za-z0-9_][A-Za-z0-9_-]{{0,79}}/)?{_PART}(?::{_PART})?")
_UNKNOWN = "pull model manifest: file does not exist"


def named(order: Mapping[str, Any]) -> str:
    """The model that a call asks for; `name` is the older field."""
    return str(order.get("model") or order.get("name") or "")


def is_name(model: str) -> bool:
    """Whether Ollama takes it for a name. It may begin with a registry's host."""
    return _NAME.fullmatch(model) is not None


def canonical(model: str) -> str:
    """The name with its tag."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def progress(model: str | None) -> Sequence[Mapping[str, Any]]:
    """The lines before the last; None is a model that the library does not have."""
    manifest = {"status": "pulling manifest"}
    if model is None:
        return [manifest]
    layers = [line for number in range(len(LAYERS)) for line in _layer(model, number)]
    return [
        manifest,
        *layers,
        {"status": "verifying sha256 digest"},
        {"status": "writing manifest"},
    ]


def ending(model: str | None) -> Mapping[str, Any]:
    """The last line."""
    return {"error": _UNKNOWN} if model is None else {"status": "success"}


def _layer(model: str, number: int) -> Sequence[Mapping[str, Any]]:
    """A layer that has not begun is told without `completed`."""
    digest = hashlib.sha256(f"{model} {number}".encode()).hexdigest()
    total = LAYERS[number]
    line = {"status": f"pulling {digest[:12]}", "digest": f"sha256:{digest}", "total": total}
    return [line, *({**line, "completed": total * part // 4} for part in range(1, 5))]
