"""Ids: sortable by time, and told apart from what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from seatrial.store.ids import is_test_id, new_test_id

moments = st.datetimes(datetime(2020, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(moments, st.timedeltas(timedelta(milliseconds=1), timedelta(days=9)))
def test_a_later_test_has_a_greater_id(earlier: datetime, by: timedelta):
    assert new_test_id(earlier) < new_test_id(earlier + by)


@given(moments)
def test_every_new_id_is_one_and_a_safe_name(now: datetime):
    test_id = new_test_id(now)

    assert is_test_id(test_id)
    assert test_id.isalnum()
    assert test_id == test_id.lower()


@given(st.text())
def test_other_text_is_none(text: str):
    assert not is_test_id(text)
