"""The wait interval of a queued test, from what past tests took."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .tests import WaitInterval

_UNKNOWN_LOW_SECONDS = 2.0
_UNKNOWN_HIGH_SECONDS = 120.0


def wait_interval(position: int, slots: int, durations: Sequence[float]) -> WaitInterval:
    """How long a test at `position` (1 is next) waits when `slots` tests run at a time.

    `durations` are the seconds that recent tests occupied a slot, in any order. The low end
    takes a quarter-quantile duration and a slot about to be free, the high end a 0.9-quantile
    and slots that all just started. With no history the interval is wide on purpose.
    """
    slots = max(1, slots)
    rounds = math.ceil(max(1, position) / slots)
    if not durations:
        return WaitInterval(low_seconds=0.0, high_seconds=rounds * _UNKNOWN_HIGH_SECONDS)
    low = (rounds - 1) * _quantile(durations, 0.25)
    high = rounds * max(_quantile(durations, 0.9), _UNKNOWN_LOW_SECONDS)
    return WaitInterval(low_seconds=round(low, 1), high_seconds=round(high, 1))


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
