"""A store and a server for each test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from seatrial.store import SqlStore, open_store

from .running import Running, running


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a Unix socket has 108 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="st-") as path:
        yield Path(path)


@pytest_asyncio.fixture
async def store(folder: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite+aiosqlite:///{folder / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()


@pytest_asyncio.fixture
async def server(store: SqlStore, folder: Path) -> AsyncIterator[Running]:
    """A server that needs no token."""
    async with running(store, folder) as started:
        yield started


@pytest_asyncio.fixture
async def guarded(store: SqlStore, folder: Path) -> AsyncIterator[Running]:
    """A server that needs tokens, but not over its socket."""
    async with running(store, folder, local_owner=None, socket_owner="me") as started:
        yield started


@pytest_asyncio.fixture
async def client(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with server.client() as client:
        yield client
