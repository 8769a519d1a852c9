"""Delete tests with their journals. Unfinished ones are never touched."""

from __future__ import annotations

from datetime import UTC, datetime

from seatrial.domain.ports import Tests

from .read_test import checked_id


async def delete_test(tests: Tests, owner: str, test_id: str) -> None:
    """Remove one completed test. NotFound; Conflict while it is unfinished."""
    await tests.delete(owner, checked_id(test_id))


async def clear_tests(tests: Tests, owner: str, *, before: datetime | None = None) -> int:
    """Remove the owner's completed tests that were created before; how many.

    A time without a zone is UTC. Without a time, all completed tests.
    """
    if before is not None and before.tzinfo is None:
        before = before.replace(tzinfo=UTC)
    return await tests.clear(owner, before=before)
