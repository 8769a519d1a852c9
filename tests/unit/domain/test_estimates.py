"""The wait interval of a queued test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.domain.estimates import wait_interval

durations = st.lists(st.floats(0, 4000), max_size=50)
positions = st.integers(1, 10_000)
slots = st.integers(0, 64)


@pytest.mark.spec("FR-004")
@given(positions, slots, durations)
def test_the_low_end_is_never_above_the_high_end(
    position: int, slot_count: int, taken: list[float]
) -> None:
    wait = wait_interval(position, slot_count, taken)
    assert 0 <= wait.low_seconds <= wait.high_seconds


@pytest.mark.spec("FR-004")
@given(positions, positions, slots, durations)
def test_who_stands_further_behind_never_waits_less(
    one: int, other: int, slot_count: int, taken: list[float]
) -> None:
    near = wait_interval(min(one, other), slot_count, taken)
    far = wait_interval(max(one, other), slot_count, taken)
    assert near.low_seconds <= far.low_seconds
    assert near.high_seconds <= far.high_seconds


@given(positions, slots, durations)
def test_another_slot_never_makes_the_wait_longer(
    position: int, slot_count: int, taken: list[float]
) -> None:
    few = wait_interval(position, slot_count, taken)
    more = wait_interval(position, slot_count + 1, taken)
    assert more.low_seconds <= few.low_seconds
    assert more.high_seconds <= few.high_seconds


@given(positions, slots, durations)
def test_the_order_of_past_durations_does_not_matter(
    position: int, slot_count: int, taken: list[float]
) -> None:
    forward = wait_interval(position, slot_count, taken)
    assert forward == wait_interval(position, slot_count, taken[::-1])


@pytest.mark.parametrize(
    ("position", "slot_count", "taken", "low", "high"),
    [
        (1, 1, [10.0] * 10, 0.0, 10.0),
        (3, 1, [10.0] * 10, 20.0, 30.0),
        (3, 2, [10.0] * 10, 10.0, 20.0),
        (2, 2, [10.0] * 10, 0.0, 10.0),
        (2, 1, [1.0, 2.0, 3.0, 100.0], 2.0, 200.0),
        (1, 1, [0.1] * 5, 0.0, 2.0),
        (1, 1, [], 0.0, 120.0),
        (3, 0, [], 0.0, 360.0),
    ],
)
def test_the_interval_follows_from_rounds_and_past_durations(
    position: int, slot_count: int, taken: list[float], low: float, high: float
) -> None:
    wait = wait_interval(position, slot_count, taken)
    assert (wait.low_seconds, wait.high_seconds) == (low, high)
