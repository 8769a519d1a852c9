"""Databases of both kinds, and stores on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.support.databases import Clock, Databases, Opener, PostgresDatabases, SqliteFiles
from tests.support.postgres import PostgresServer

from seatrial.store import SqlStore, open_store


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: PostgresServer) -> PostgresDatabases:
    return PostgresDatabases(postgres_server)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Each test that uses this runs once per kind of database."""
    name = "sqlite_files" if request.param == "sqlite" else "postgres_databases"
    found: Databases = request.getfixturevalue(name)
    return found


@pytest.fixture
def url(databases: Databases) -> str:
    """A migrated database of its own."""
    return databases.migrated()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def opened(url: str) -> AsyncIterator[Opener]:
    """Opens further stores on the test's database; they are closed at its end."""
    stores: list[SqlStore] = []

    async def opener(**options: Any) -> SqlStore:
        store = open_store(url, **options)
        stores.append(store)
        await store.open()
        return store

    yield opener
    for store in stores:
        await store.aclose()


@pytest_asyncio.fixture
async def store(opened: Opener, clock: Clock) -> SqlStore:
    """A store whose clock is the test's."""
    return await opened(clock=clock)
