"""A real server over a real database, and clients of it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.integration.server.running import Running, running

from seatrial.client import AsyncClient
from seatrial.store import SqlStore, open_store


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a Unix socket has 108 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="st-") as path:
        yield Path(path)


@pytest_asyncio.fixture
async def store(folder: Path) -> AsyncGenerator[SqlStore, None]:
    store = open_store(f"sqlite+aiosqlite:///{folder / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()


@pytest_asyncio.fixture
async def server(store: SqlStore, folder: Path) -> AsyncGenerator[Running, None]:
    """A server that needs tokens, but not over its socket."""
    async with running(store, folder, local_owner=None, socket_owner="me") as started:
        yield started


@pytest_asyncio.fixture
async def client(server: Running) -> AsyncGenerator[AsyncClient, None]:
    """A client that is known by the socket."""
    async with AsyncClient(socket_path=server.socket) as client:
        yield client
