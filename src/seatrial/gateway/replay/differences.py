"""What one call asks otherwise than another: field by field, short and readable. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from seatrial.gateway.admission import shown

from .forms import Form

MOST = 5
"""Differences of one call that are told; more are counted."""

_LONGEST = 100
_BEFORE_THE_CHANGE = 25
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One field: as it was recorded and as it is now. None: it is not there."""

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """As a part of a sentence."""
        before = "not recorded" if self.before is None else f"recorded {self.before}"
        return f"{self.field}: {before}, now {'absent' if self.after is None else self.after}"


def differences(recorded: Form, now: Form) -> list[Difference]:
    """Every difference, in the order of the fields' names."""
    if (recorded.provider, recorded.operation) != (now.provider, now.operation):
        before = f"{recorded.provider} {recorded.operation}"
        return [Difference("operation", before, f"{now.provider} {now.operation}")]
    found: list[Difference] = []
    for part in ("method", "path", "query", "headers"):
        found += _compare(part, recorded.parts[part], now.parts[part])
    return found + list(_compare("", recorded.parts["body"], now.parts["body"]))


def told(found: Sequence[Difference]) -> str:
    """The first of them as text."""
    more = len(found) - MOST
    text = "; ".join(str(one) for one in found[:MOST])
    return f"{text}; and {more} more" if more > 0 else text


def _compare(field: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(field, cast("dict[str, Any]", before), cast("dict[str, Any]", after))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(field, cast("list[Any]", before), cast("list[Any]", after))
    elif _differ(before, after):
        yield _leaf(field or "body", before, after)


def _differ(before: Any, after: Any) -> bool:
    """Python takes true for 1; JSON does not."""
    return type(before) is not type(after) or before != after


def _objects(field: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        below = f"{field}.{shown(name, 60)}" if field else shown(name, 60)
        yield from _compare(below, before.get(name, _ABSENT), after.get(name, _ABSENT))


def _lists(field: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    for index in range(max(len(before), len(after))):
        yield from _compare(
            f"{field}[{index}]",
            before[index] if index < len(before) else _ABSENT,
            after[index] if index < len(after) else _ABSENT,
        )


def _leaf(field: str, before: Any, after: Any) -> Difference:
    start = 0
    if isinstance(before, str) and isinstance(after, str):
        start = max(0, _common(before, after) - _BEFORE_THE_CHANGE)
    return Difference(field, _excerpt(before, start), _excerpt(after, start))


def _common(one: str, other: str) -> int:
    """How many characters at their beginnings are the same."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _excerpt(value: Any, start: int) -> str | None:
    if value is _ABSENT:
        return None
    said: Any = _part(value, start) if isinstance(value, str) else value
    text = json.dumps(said, ensure_ascii=False)
    return shown(text if len(text) <= _LONGEST + 20 else f"{text[:_LONGEST]}…", _LONGEST + 20)


def _part(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"
