"""Cancel a test."""

from __future__ import annotations

from seatrial.domain.ports import Tests
from seatrial.domain.tests import Test

from .read_test import checked_id


async def cancel_test(tests: Tests, owner: str, test_id: str) -> Test:
    """Ask for the test's end; a completed one is returned as it is. NotFound."""
    return await tests.cancel(owner, checked_id(test_id))
