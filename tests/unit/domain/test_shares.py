"""How what all users share is divided among them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seatrial.domain.shares import fair_level, queue_share


def test_a_share_of_the_queue_is_a_tenth_and_enough_to_work_with() -> None:
    assert queue_share(1000, 0) == 100
    assert queue_share(100, 0) == 20
    assert queue_share(5, 0) == 5
    assert queue_share(1000, 7) == 7
    assert queue_share(5, 7) == 5


def test_who_is_alone_may_keep_all_of_it() -> None:
    assert fair_level([500], 400) == 400
    assert fair_level([], 400) == 400


def test_what_one_leaves_the_others_may_keep() -> None:
    assert fair_level([100, 900], 1000) == 1000
    assert fair_level([100, 900], 600) == 500
    assert fair_level([100, 900, 900], 700) == 300


@given(st.lists(st.integers(0, 10**6), max_size=20), st.integers(0, 10**7))
def test_what_is_kept_fits_and_wastes_nothing(used: list[int], size: int) -> None:
    level = fair_level(used, size)
    kept = sum(min(one, level) for one in used)
    assert kept <= size
    if sum(used) > size:
        assert kept > size - len(used)
