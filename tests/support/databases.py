"""Databases for tests: empty ones, or copies of one that is migrated already."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Awaitable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from seatrial.domain.requests import TestRequest
from seatrial.store import SqlStore, open_store

from .postgres import PostgresServer

OWNER = "u-one"
OTHER = "u-two"


@dataclass
class Clock:
    """A clock that goes only when it is told to."""

    now: datetime = field(default_factory=lambda: datetime(2030, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def a_request(query: str = "What is 6 times 7?", *, name: str | None = None) -> TestRequest:
    """A small request."""
    return TestRequest(files={"agent.py": "print(42)"}, query=query, name=name)


class Databases(Protocol):
    """Makes databases: empty ones, or copies of one that is migrated already."""

    def empty(self) -> str:
        """The URL of a new database without any table."""
        ...

    def migrated(self) -> str:
        """The URL of a new database with the tables, and nothing in them."""
        ...


class SqliteFiles(Databases):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template: Path | None = None

    def empty(self) -> str:
        return _sqlite_url(self._folder / f"{secrets.token_hex(6)}.db")

    def migrated(self) -> str:
        if self._template is None:
            self._template = self._folder / "template.db"
            _in_a_loop(_migrate(_sqlite_url(self._template)))
        copy = self._folder / f"{secrets.token_hex(6)}.db"
        shutil.copy(self._template, copy)
        return _sqlite_url(copy)


class PostgresDatabases(Databases):
    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._template: str | None = None

    def empty(self) -> str:
        return self._make("")

    def migrated(self) -> str:
        if self._template is None:
            url = self.empty()
            _in_a_loop(_migrate(url))
            self._template = url.rpartition("/")[2]
        return self._make(f"TEMPLATE {self._template}")

    def copy_of(self, url: str) -> str:
        """A copy of a database that nobody is connected to."""
        return self._make(f"TEMPLATE {url.rpartition('/')[2]}")

    def _make(self, how: str) -> str:
        name = f"d{secrets.token_hex(6)}"
        _in_a_loop(_execute(self._server.url("postgres"), f"CREATE DATABASE {name} {how}"))
        return self._server.url(name)


def _sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


async def _migrate(url: str) -> None:
    store = open_store(url)
    await store.open()
    await store.aclose()


async def _execute(url: str, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))


def _in_a_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread with a loop of its own: the caller's loop may be running."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()


class Opener(Protocol):
    """Opens a further store on the test's database; it is closed at the test's end."""

    def __call__(self, **options: Any) -> Awaitable[SqlStore]: ...
