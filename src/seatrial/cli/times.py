"""Reads and shows points in time and sizes as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from seatrial.domain.errors import FieldProblem, InvalidRequest

_AGE = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def point_before(text: str, now: datetime) -> datetime:
    """`30d`, `12h`, `2w` before `now`, or a date such as 2026-01-31. InvalidRequest."""
    age = _AGE.fullmatch(text)
    try:
        if age:
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        point = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is neither an age such as 30d or 12h nor a date such as 2026-01-31."
        raise InvalidRequest((FieldProblem("--before", message),)) from error
    return point if point.tzinfo else point.replace(tzinfo=UTC)


def ago(point: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int((now - point).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def megabytes(size: int) -> str:
    """A size in MB, or GB from 1,000 MB on."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
