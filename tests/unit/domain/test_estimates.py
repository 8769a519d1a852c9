"""The wait interval of a queued test."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.domain.estimates import (
    LONGEST_LINE,
    Experience,
    Held,
    Line,
    Waiting,
    kept,
)
from seatrial.domain.tests import WaitInterval

seconds = st.floats(0, 4000)
pasts = st.lists(st.tuples(st.sampled_from(["", "pandas"]), seconds), max_size=30)
holders = st.lists(
    st.builds(Held, st.sampled_from(["ann", "bob"]), st.sampled_from(["", "pandas"]), seconds),
    max_size=5,
)
lines = st.lists(
    st.builds(Waiting, st.sampled_from(["ann", "bob"]), st.sampled_from(["", "pandas"])),
    min_size=1,
    max_size=12,
)
slots = st.integers(0, 6)


def line(waiting: int, *, slots: int = 1, past: float = 10.0, held: int = 0) -> Line:
    """Tests of one kind that all took the same time."""
    return Line(
        [Waiting("ann")] * waiting,
        [Held("bob", "", 0.0)] * held,
        slots,
        experience=Experience([("", past)] * 10),
    )


@pytest.mark.spec("FR-004", "US3-4")
@given(lines, holders, slots, st.integers(0, 2), pasts)
def test_every_place_has_an_interval_whose_low_end_is_not_above_its_high_end(
    waiting: list[Waiting],
    held: list[Held],
    slot_count: int,
    cap: int,
    past: list[tuple[str, float]],
):
    waits = Line(waiting, held, slot_count, cap, Experience(past)).waits()
    assert len(waits) == len(waiting)
    assert all(0 <= wait.low_seconds <= wait.high_seconds for wait in waits)


@pytest.mark.spec("FR-004")
@given(lines, holders, slots, pasts)
def test_who_stands_further_behind_never_waits_less(
    waiting: list[Waiting], held: list[Held], slot_count: int, past: list[tuple[str, float]]
):
    waits = Line(waiting, held, slot_count, 0, Experience(past)).waits()
    assert waits == sorted(waits, key=lambda wait: wait.low_seconds)
    assert waits == sorted(waits, key=lambda wait: wait.high_seconds)


@given(lines, st.integers(1, 6), pasts)
def test_another_slot_never_makes_the_wait_longer(
    waiting: list[Waiting], slot_count: int, past: list[tuple[str, float]]
):
    few = Line(waiting, (), slot_count, 0, Experience(past)).waits()
    more = Line(waiting, (), slot_count + 1, 0, Experience(past)).waits()
    assert all(m.low_seconds <= f.low_seconds for m, f in zip(more, few, strict=True))
    assert all(m.high_seconds <= f.high_seconds for m, f in zip(more, few, strict=True))


@given(lines, holders, slots, pasts)
def test_the_same_state_gives_the_same_answer_in_whatever_order_the_past_is_told(
    waiting: list[Waiting], held: list[Held], slot_count: int, past: list[tuple[str, float]]
):
    forward = Line(waiting, held, slot_count, 0, Experience(past)).waits()
    assert forward == Line(waiting, held, slot_count, 0, Experience(past[::-1])).waits()


@pytest.mark.parametrize(
    ("state", "low", "high"),
    [
        (line(1), 0, 0),
        (line(1, held=1), 10, 10),
        (line(3, held=1), 30, 30),
        (line(2, slots=2, held=1), 10, 10),
        (line(4, slots=2, held=2), 20, 20),
    ],
)
def test_the_last_in_line_waits_until_those_before_it_have_had_their_time(
    state: Line, low: float, high: float
):
    assert state.waits()[-1] == WaitInterval(low_seconds=low, high_seconds=high)


def test_what_has_run_for_a_while_is_expected_to_end_the_sooner():
    fresh, old = (
        Line([Waiting("ann")], [Held("bob", "", since)], experience=Experience([("", 60.0)] * 9))
        for since in (0.0, 50.0)
    )
    assert (fresh.wait_at(1).high_seconds, old.wait_at(1).high_seconds) == (60, 10)


def test_what_runs_longer_than_anything_before_may_take_as_long_again():
    state = Line([Waiting("ann")], [Held("bob", "", 500.0)], experience=Experience([("", 9.0)] * 9))
    assert 250 < state.wait_at(1).high_seconds <= 500


def test_tests_that_need_the_same_packages_tell_of_each_other():
    past = [("pandas", 100.0)] * 5 + [("", 1.0)] * 50
    held = [Held("bob", "pandas", 0.0)]
    assert Line([Waiting("ann")], held, experience=Experience(past)).wait_at(1).low_seconds == 100


def test_a_user_at_the_cap_waits_for_the_own_tests():
    held = [Held("ann", "", 0.0)]
    waiting = [Waiting("ann"), Waiting("bob")]
    waits = Line(waiting, held, 2, 1, Experience([("", 10.0)] * 9)).waits()
    assert [wait.high_seconds for wait in waits] == [10, 0]


def test_without_experience_the_interval_is_wide():
    wait = Line([Waiting("ann")], [Held("bob", "", 0.0)]).wait_at(1)
    assert wait.low_seconds <= 10
    assert wait.high_seconds == 120


def test_without_a_slot_nobody_is_told_to_start_at_once():
    assert Line([Waiting("ann")], slots=0).wait_at(1).high_seconds > 0


def test_behind_the_longest_line_the_wait_goes_on_in_proportion():
    state = line(LONGEST_LINE, held=1)
    last = state.wait_at(LONGEST_LINE)
    assert state.wait_at(3 * LONGEST_LINE).high_seconds == pytest.approx(3 * last.high_seconds)


@pytest.mark.spec("US3-4")
def test_most_waits_end_within_their_interval():
    """Queues whose tests take a random time: eight of ten intervals should hold."""
    rng, held_up = random.Random(7), 0
    past = [("", rng.expovariate(1 / 20)) for _ in range(200)]
    for _ in range(300):
        ahead = rng.randrange(1, 8)
        wait = Line(
            [Waiting("ann")] * ahead, [Held("bob", "", 0.0)], experience=Experience(past)
        ).waits()[-1]
        held_up += kept(wait, sum(rng.expovariate(1 / 20) for _ in range(ahead)))
    assert 0.7 < held_up / 300 < 0.95


@pytest.mark.parametrize(
    ("waited", "was_kept"), [(3.5, False), (4.0, True), (9, True), (12, False)]
)
def test_a_wait_is_as_announced_within_a_second(waited: float, was_kept: bool):
    assert kept(WaitInterval(low_seconds=5, high_seconds=10), waited) is was_kept
