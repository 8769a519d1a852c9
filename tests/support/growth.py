"""Whether the time of a piece of work grows no faster than its input."""

from __future__ import annotations

import time
from collections.abc import Callable

SMALLEST = 4_000
_CHEAP_SECONDS = 0.01
_REPEATS = 3
# Four times the input: linear work takes four times as long, quadratic work sixteen times.
_MOST_GROWTH = 9.0


def assert_linear(work: Callable[[int], object], what: str, *, smallest: int = SMALLEST) -> None:
    """`work` takes a size. Cheap work at 4n is linear enough; processor time alone is counted."""
    largest = _seconds(work, 4 * smallest, repeats=1)
    if largest < _CHEAP_SECONDS:
        return
    small, middle, large = (_seconds(work, factor * smallest) for factor in (1, 2, 4))
    shown = f"{what}: {small:.3f} s, {middle:.3f} s, {large:.3f} s at n, 2n, 4n"
    assert large < _CHEAP_SECONDS or large < _MOST_GROWTH * small, shown


def _seconds(work: Callable[[int], object], size: int, *, repeats: int = _REPEATS) -> float:
    """The least of some measurements."""
    least = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        work(size)
        least = min(least, time.process_time() - began)
        if least > 1.0:
            break
    return least
