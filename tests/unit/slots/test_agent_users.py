"""Every test that runs has a user id of its own."""

from __future__ import annotations

import pytest

from seatrial.domain.errors import NoCapacity
from seatrial.slots.users import FIRST_UID, MOST_UIDS, Users

FIRST = 900_000
"""Far from the ids of tests that run beside this one."""


@pytest.mark.spec("FR-011")
def test_no_id_is_given_twice_while_it_is_held() -> None:
    users = Users(FIRST, 50)
    taken = [users.take() for _ in range(50)]
    assert sorted(taken) == list(range(FIRST, FIRST + 50))
    with pytest.raises(NoCapacity):
        users.take()
    users.give_back(taken[7])
    assert users.take() == taken[7]
    for uid in taken:
        users.give_back(uid)


def test_another_worker_of_the_machine_gets_another_id() -> None:
    one, other = Users(FIRST, 2), Users(FIRST, 2)
    assert {one.take(), other.take()} == {FIRST, FIRST + 1}
    with pytest.raises(NoCapacity):
        other.take()
    for uid in (FIRST, FIRST + 1):
        one.give_back(uid)
        other.give_back(uid)


def test_the_id_of_an_adopted_container_is_not_given_to_others() -> None:
    former, users = Users(FIRST, 2), Users(FIRST, 2)
    uid = former.take()
    users.hold(uid)
    users.hold(uid)
    assert users.take() != uid
    former.give_back(uid)
    users.give_back(uid)
    users.give_back(uid)


def test_the_range_fits_into_what_rootless_engines_map() -> None:
    assert FIRST_UID >= 1000
    assert FIRST_UID + MOST_UIDS <= 61_000
