"""`seatrial tests retry --fix` makes the change that a failure offers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from seatrial.cli.offered import offered_changes
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.failures import failure
from seatrial.domain.phases import Phase
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.tests import Test


def _failed(fix: dict[str, str | int] | None) -> Test:
    request = TestRequest(files={"agent.py": "x"}, query="q", limits=Limits(memory_mb=256))
    return Test(
        id="t1",
        owner="u",
        request=request,
        phase=Phase.COMPLETED,
        attempt=1,
        created_at=datetime.now(UTC),
        failure=failure("limit.memory", fix=fix),
    )


def test_a_limit_is_raised_and_the_others_stay() -> None:
    changes = offered_changes(_failed({"memory_mb": 512}))
    assert set(changes) == {"limits"}
    limits = changes.get("limits")
    assert limits is not None
    assert limits.model_dump(exclude_none=True) == {"memory_mb": 512}


@pytest.mark.parametrize("fix", [None, {"weather": "sunny"}])
def test_where_nothing_is_offered_that_is_said(fix: dict[str, str | int] | None) -> None:
    with pytest.raises(InvalidRequest) as refused:
        offered_changes(_failed(fix))
    assert refused.value.problems[0].field == "--fix"
