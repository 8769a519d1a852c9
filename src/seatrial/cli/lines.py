"""Lines to show, as values: text with the role that it plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["plain", "dim", "strong", "good", "bad", "warn", "name"]


@dataclass(frozen=True)
class Span:
    """A piece of a line. Foreign text may stand here as it is: the screen escapes it."""

    text: str
    role: Role = "plain"


Line = tuple[Span, ...]


@dataclass(frozen=True)
class Panel:
    """A titled block of lines: a box on a terminal, a heading and indented lines elsewhere."""

    title: str
    role: Role
    lines: tuple[Line, ...]


def line(*parts: str | Span) -> Line:
    """A line of these parts; plain strings play no role."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def text_of(one: Line) -> str:
    """The line's text alone."""
    return "".join(span.text for span in one)
