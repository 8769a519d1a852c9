"""What a retry changes and what it keeps."""

from __future__ import annotations

from seatrial.domain.requests import LimitChanges, Limits, RetryChanges, TestRequest

OLD = TestRequest(
    files={"agent.py": "a", "b.py": "b"},
    query="old",
    model="none",
    limits=Limits(memory_mb=100, cpus=2.0),
    egress=("example.com:443",),
)


def test_no_change_keeps_everything() -> None:
    assert RetryChanges().applied_to(OLD) == OLD
    assert RetryChanges(query=None, files=None, limits=None).applied_to(OLD) == OLD


def test_a_change_changes_its_field_alone() -> None:
    new = RetryChanges(query="new", timeout_seconds=5, egress=()).applied_to(OLD)
    assert new == OLD.model_copy(update={"query": "new", "timeout_seconds": 5, "egress": ()})
    assert OLD.query == "old"


def test_files_are_replaced_added_and_removed_by_their_paths() -> None:
    new = RetryChanges(files={"agent.py": "new", "b.py": None, "c.py": ""}).applied_to(OLD)
    assert new.files == {"agent.py": "new", "c.py": ""}


def test_limits_that_are_left_out_stay() -> None:
    new = RetryChanges(limits=LimitChanges(memory_mb=200)).applied_to(OLD)
    assert new.limits == Limits(memory_mb=200, cpus=2.0)
    new = RetryChanges(limits=LimitChanges(model_calls=9, model_tokens=0)).applied_to(new)
    assert new.limits == Limits(memory_mb=200, cpus=2.0, model_calls=9)


def test_every_limit_can_be_changed() -> None:
    assert LimitChanges.model_fields.keys() == Limits.model_fields.keys()
