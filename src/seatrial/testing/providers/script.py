"""What scripted models say, in no service's shape yet.

They say `TEXT`. Offered tools, they first call the first one with arguments that fit its schema,
and when its result comes they repeat it, so that a test sees that it arrived.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

TEXT = ("Scripted", " answer", ".")
"""The pieces of every answer without tools."""

ARGUMENT = "Paris"
"""What a scripted model gives for every text that a tool asks for."""

INPUT_TOKENS = 11
OUTPUT_TOKENS = 3

VECTOR = (0.5, 0.25)
"""Every embedding."""

CALL_ID = "call_scripted1"
"""The id of every tool call."""

_VALUES: Mapping[str, Any] = MappingProxyType(
    {"string": ARGUMENT, "integer": 2, "number": 2.5, "boolean": True, "array": [], "object": {}}
)


@dataclass(frozen=True)
class Tool:
    """A tool that a call offers."""

    name: str
    schema: Mapping[str, Any]

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Arguments that fit the schema, for everything that it requires."""
        properties: Mapping[str, Any] = self.schema.get("properties", {})
        required: Sequence[str] = self.schema.get("required", list(properties))
        return {name: _value(properties.get(name, {})) for name in required}


@dataclass(frozen=True)
class Turn:
    """What is said next: a text in its pieces, or the call of a tool."""

    pieces: tuple[str, ...] = TEXT
    call: Tool | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def next_turn(tools: Sequence[Tool], result: str | None) -> Turn:
    """The turn that follows. `result` is a tool's, when the call ends with one."""
    if result is not None:
        return Turn(("The tool said: ", result, "."))
    return Turn((), tools[0]) if tools else Turn()


def listed(value: Any) -> list[Any]:
    """The items of a list in a call; none when there is no list."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def last_of(value: Any) -> Any:
    """The last item of a list in a call; an empty object when there is none."""
    return (listed(value) or [{}])[-1]


def floats_base64() -> str:
    """The vector as services send it that are asked for base64: little-endian floats."""
    return base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()


def _value(schema: Mapping[str, Any]) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    return _VALUES.get(str(schema.get("type")), ARGUMENT)
