"""A real store for the use cases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from seatrial.store import SqlStore, open_store


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite+aiosqlite:///{tmp_path / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()
