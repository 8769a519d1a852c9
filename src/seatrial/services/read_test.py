"""Read one test."""

from __future__ import annotations

import re

from seatrial.domain.errors import NotFound
from seatrial.domain.ports import Tests
from seatrial.domain.tests import Test

_POSSIBLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def checked_id(test_id: str) -> str:
    """The id, if it can be one at all. NotFound otherwise, before any database sees it."""
    if not _POSSIBLE_ID.fullmatch(test_id):
        raise NotFound("There is no such test.")
    return test_id


async def read_test(tests: Tests, owner: str, test_id: str) -> Test:
    """The owner's test as it stands now. NotFound, also for another owner's."""
    return await tests.test(owner, checked_id(test_id))
