"""Why a test waits and for how long: decided without a database."""

from __future__ import annotations

import pytest

from seatrial.store.places import Capacity


def _capacity(**known: object) -> Capacity:
    usual: dict[str, object] = {
        "workers": 1,
        "slots": 2,
        "running": {},
        "max_per_user": 0,
        "max_total": 0,
        "durations": (),
    }
    return Capacity(**{**usual, **known})  # pyright: ignore[reportArgumentType] - given by each test


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"workers": 0, "slots": 0}, "no worker is connected"),
        ({}, ""),
        ({"running": {"bob": 1}}, ""),
        ({"running": {"bob": 2}}, "every slot is busy"),
        ({"slots": 9, "max_total": 2, "running": {"bob": 2}}, "every slot is busy"),
        ({"max_per_user": 1, "running": {"ann": 1}}, "you already run 1 test"),
        ({"max_per_user": 2, "running": {"ann": 2}}, "you already run 2 tests"),
        ({"max_per_user": 2, "running": {"ann": 1, "bob": 1}}, "every slot is busy"),
    ],
)
def test_the_reason_names_what_the_test_waits_for(known: dict[str, object], reason: str):
    assert _capacity(**known).reason("ann") == reason


def test_without_a_worker_nobody_is_told_to_come_back_at_once():
    assert _capacity(workers=0).seconds_to_free_place() >= 60


@pytest.mark.parametrize(("durations", "seconds"), [((60.0,) * 5, 30), ((0.01,), 1), ((), 60)])
def test_a_place_is_free_when_one_of_the_slots_is(durations: tuple[float, ...], seconds: int):
    assert _capacity(durations=durations).seconds_to_free_place() == seconds
