"""Ids of tests and users: sortable by time, safe in a path, a label and a host name."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_DIGITS = 10
_RANDOM_BITS = 50
_TEST_ID = re.compile(f"t[{_ALPHABET}]{{20}}")


def new_test_id(now: datetime) -> str:
    """`t`, then 10 base-32 digits of the millisecond, then 10 random ones."""
    return "t" + _sortable(now)


def new_user_id(now: datetime) -> str:
    """`u` and the same digits as a test's."""
    return "u" + _sortable(now)


def is_test_id(text: str) -> bool:
    """Whether it has the shape of a test's id: anything else need not be looked up."""
    return _TEST_ID.fullmatch(text) is not None


def _sortable(now: datetime) -> str:
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)
    number = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    digits = _TIME_DIGITS + _RANDOM_BITS // 5
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(digits)))
