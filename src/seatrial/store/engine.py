"""SQLAlchemy's engine for either database, and how SQLite's transactions begin."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from seatrial.domain.errors import SetupFailed

from .limits import SESSION

BUSY_SECONDS = 15
"""How long SQLite waits for its file while another process writes it."""

_CONNECT_SECONDS = 10
_WRITES = "file_writes"
_WAL_BYTES = 64 * 1024 * 1024
_HINT = "Use sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE."


class FileWrites(StrEnum):
    """How a transaction on SQLite writes its file (execution option `file_writes`)."""

    SYNCED = "FULL"
    """Each commit waits until the disk has it."""

    LAZY = "NORMAL"
    """A commit survives the process; the disk gets it with the next synced one."""


def is_sqlite(url: str) -> bool:
    """Whether the URL names SQLite; SetupFailed when it names nothing that is supported."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SetupFailed("The database's URL cannot be read.", hint=_HINT) from error
    if parsed.drivername == "postgresql+asyncpg":
        return False
    if parsed.drivername == "sqlite+aiosqlite" and parsed.database not in {None, "", ":memory:"}:
        return True
    raise SetupFailed(f"The database {parsed.drivername!r} is not supported.", hint=_HINT)


def sqlite_path(url: str) -> Path:
    """The file of a SQLite database."""
    return Path(str(make_url(url).database))


def make_engine(url: str, **options: Any) -> AsyncEngine:
    """An engine that has not connected yet; `options` are SQLAlchemy's."""
    if not is_sqlite(url):
        connect_args: dict[str, Any] = {"timeout": _CONNECT_SECONDS}
        engine = create_async_engine(url, pool_pre_ping=True, connect_args=connect_args, **options)
        event.listen(engine.sync_engine, "connect", _limit)
        return engine
    # isolation_level None: the driver begins nothing by itself, `_begin` does.
    connect_args = {"isolation_level": None, "timeout": BUSY_SECONDS}
    engine = create_async_engine(url, connect_args=connect_args, **options)
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _limit(connection: Any, _record: Any) -> None:
    """By statements, not as parameters of the connection: poolers refuse those."""
    commands = "; ".join(f"SET {name} = {value}" for name, value in SESSION.items())

    async def execute(driver: Any) -> None:
        await driver.execute(commands)

    connection.run_async(execute)


def _set_up(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Writers take SQLite's write lock at once: a later upgrade could fail, not wait."""
    writes = connection.get_execution_options().get(_WRITES)
    if writes is None:
        connection.exec_driver_sql("BEGIN")
        return
    if connection.info.get(_WRITES) is not writes:
        connection.exec_driver_sql(f"PRAGMA synchronous = {writes.value}")
        connection.info[_WRITES] = writes
    connection.exec_driver_sql("BEGIN IMMEDIATE")
