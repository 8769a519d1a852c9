"""A failure's fix is a change that a program can make."""

from __future__ import annotations

import pytest

from seatrial.domain.fixes import changes_of
from seatrial.domain.requests import Limits, TestRequest

REQUEST = TestRequest(files={"agent.py": "x"}, query="q", limits=Limits(memory_mb=256))


@pytest.mark.parametrize(
    ("fix", "changed"),
    [
        ({"memory_mb": 512}, {"limits": Limits(memory_mb=512)}),
        ({"open_files": 2048}, {"limits": Limits(memory_mb=256, open_files=2048)}),
        ({"timeout_seconds": 360}, {"timeout_seconds": 360}),
        ({"add_requirement": "httpx"}, {"requirements": "httpx\n"}),
        ({"add_egress": "api.example:443"}, {"egress": ("api.example:443",)}),
        ({}, {}),
    ],
)
def test_a_fix_changes_the_request_and_nothing_else_of_it(
    fix: dict[str, str | int], changed: dict[str, object]
) -> None:
    assert changes_of(fix, REQUEST).applied_to(REQUEST) == REQUEST.model_copy(update=changed)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rich\nhttpx  # for calls", "rich\nhttpx  # for calls\nyaml\n"),
        ("rich\r\nhttpx", "rich\r\nhttpx\nyaml\n"),
        ("rich\n\n", "rich\nyaml\n"),
        ("rich \\", "rich\nyaml\n"),
        ("rich \\\n", "rich\nyaml\n"),
        ("\ufeff", "yaml\n"),
        (" \n", "yaml\n"),
    ],
)
def test_a_requirement_is_added_as_a_line_of_its_own(before: str, after: str) -> None:
    request = REQUEST.model_copy(update={"requirements": before})
    assert changes_of({"add_requirement": "yaml"}, request).requirements == after


def test_what_a_retry_cannot_change_is_told() -> None:
    with pytest.raises(ValueError, match="weather"):
        changes_of({"weather": "sunny"}, REQUEST)


def test_a_model_that_is_pulled_first_changes_nothing_of_the_request() -> None:
    assert changes_of({"pull_model": "llama3.2"}, REQUEST).applied_to(REQUEST) == REQUEST
