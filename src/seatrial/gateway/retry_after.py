"""How long a provider asks its callers to wait, read from an answer's headers. Pure.

`Retry-After` in seconds or as a date (RFC 9110 section 10.2.3) and its finer form in
milliseconds; where it is missing, when the limits that are used up begin anew, as Anthropic
(a time) and OpenAI (a duration such as `6m0s`) tell it. AWS tells nothing besides Retry-After.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LIMITED = frozenset({429, 503, 529})
"""Statuses by which a service asks to be called less."""

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_DURATION = re.compile(r"(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?(?:([0-9.]+)ms)?", re.ASCII)
_RESETS = (
    ("anthropic-ratelimit-{}-remaining", "anthropic-ratelimit-{}-reset"),
    ("x-ratelimit-remaining-{}", "x-ratelimit-reset-{}"),
)
_KINDS = ("requests", "tokens", "input-tokens", "output-tokens")


def asked_wait(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, None when the answer asks for no wait. `headers` ignores letter case."""
    if status not in LIMITED:
        return None
    in_ms = _seconds(headers.get("retry-after-ms", ""))
    if in_ms is not None:
        return in_ms / 1000
    if "retry-after" in headers:
        told = headers["retry-after"].strip()
        wait = _seconds(told)
        return wait if wait is not None else _until(_http_date(told), now)
    return max(_resets(headers, now), default=None)


def _resets(headers: Mapping[str, str], now: datetime) -> Iterator[float]:
    """When each limit of which nothing is left begins anew."""
    for remaining, reset in _RESETS:
        for kind in _KINDS:
            if headers.get(remaining.format(kind), "").strip() == "0":
                told = headers.get(reset.format(kind), "").strip()
                wait = _seconds(told) or _duration(told) or _until(_timestamp(told), now)
                if wait is not None:
                    yield wait


def _seconds(text: str) -> float | None:
    text = text.strip()
    return float(text) if _SECONDS.fullmatch(text) else None


def _duration(text: str) -> float | None:
    """Go's way to write one: `1h2m3.5s`, `17ms`."""
    match = _DURATION.fullmatch(text) if len(text) < 40 else None
    if match is None or not text:
        return None
    try:
        parts = [float(part or 0) for part in match.groups()]
    except ValueError:
        return None
    return parts[0] * 3600 + parts[1] * 60 + parts[2] + parts[3] / 1000


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None


def _timestamp(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _until(moment: datetime | None, now: datetime) -> float | None:
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
