"""JSON whose shape is somebody else's business, and careful looks into it."""

from __future__ import annotations

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]
"""Any JSON object."""


def as_object(value: JsonValue) -> JsonObject:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_count(value: JsonValue) -> int | None:
    """`value` when it is a whole number, else None."""
    return value if isinstance(value, int) else None
