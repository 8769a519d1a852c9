"""Old tests go by age and by size, and not before a week without saying so."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from seatrial.domain.phases import Outcome
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Completion
from seatrial.settings import Settings
from seatrial.store import SqlStore, open_store
from seatrial.wiring import retention

REQUEST = TestRequest(files={"agent.py": "x" * 5000}, query="x")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite+aiosqlite:///{tmp_path / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()


async def completed(store: SqlStore, count: int) -> None:
    owner = (await store.ensure_user("ann")).id
    for _ in range(count):
        test = await store.submit(owner, REQUEST, max_queued=9)
        await store.claim("w", lease_seconds=60, max_per_user=0, max_total=0, count=1)
        await store.complete(test.id, 1, Completion(outcome=Outcome.SUCCEEDED), [])


@pytest.mark.parametrize(
    ("days", "warns"), [(0, False), (1, True), (6, True), (7, False), (30, False)]
)
def test_less_than_a_week_is_said(days: int, warns: bool) -> None:
    assert bool(retention.warning(Settings(retention_days=days))) is warns


async def test_what_fits_and_is_young_stays(store: SqlStore) -> None:
    await completed(store, 2)
    assert await retention.remove_old(Settings(), store) == 0


@pytest.mark.spec("US4-6")
async def test_young_tests_that_do_not_fit_are_removed_and_the_log_says_so(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    await completed(store, 3)
    settings = Settings(history_max_gb=12_000 / 2**30)
    with caplog.at_level(logging.WARNING):
        assert await retention.remove_old(settings, store) == 1
    assert "SEATRIAL_HISTORY_MAX_GB" in caplog.text
