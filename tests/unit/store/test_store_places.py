"""Why a test waits and for how long: decided without a database."""

from __future__ import annotations

import pytest

from seatrial.domain.estimates import Experience, Held
from seatrial.store.places import Capacity


def _capacity(**known: object) -> Capacity:
    usual: dict[str, object] = {
        "workers": 1,
        "slots": 2,
        "held": (),
        "max_per_user": 0,
        "max_total": 0,
    }
    return Capacity(**{**usual, **known})  # pyright: ignore[reportArgumentType] - given by each test


def held(**by_owner: int) -> list[Held]:
    return [Held(owner, "", 0.0) for owner, many in by_owner.items() for _ in range(many)]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"workers": 0, "slots": 0}, "no worker is connected"),
        ({"slots": 0, "trouble": "the engine is away"}, "the engine is away"),
        ({"slots": 1, "trouble": "the engine is away"}, ""),
        ({}, ""),
        ({"held": held(bob=1)}, ""),
        ({"held": held(bob=2)}, "every slot is busy"),
        ({"slots": 9, "max_total": 2, "held": held(bob=2)}, "every slot is busy"),
        ({"max_per_user": 1, "held": held(ann=1)}, "you already run 1 test"),
        ({"max_per_user": 2, "held": held(ann=2)}, "you already run 2 tests"),
        ({"max_per_user": 2, "held": held(ann=1, bob=1)}, "every slot is busy"),
    ],
)
def test_the_reason_names_what_the_test_waits_for(known: dict[str, object], reason: str):
    assert _capacity(**known).reason("ann") == reason


def test_without_a_worker_nobody_is_told_to_come_back_at_once():
    assert _capacity(workers=0).seconds_to_free_place() >= 60


@pytest.mark.parametrize(
    ("taken", "busy", "seconds"), [(60.0, 2, 60), (60.0, 1, 1), (0.01, 2, 1), (None, 2, 120)]
)
def test_a_place_is_free_when_one_of_the_slots_is(taken: float | None, busy: int, seconds: int):
    past = [("", taken)] * 5 if taken is not None else []
    full = _capacity(held=held(bob=busy), experience=Experience(past))
    assert full.seconds_to_free_place() <= seconds
    assert full.seconds_to_free_place() >= min(2, seconds)
