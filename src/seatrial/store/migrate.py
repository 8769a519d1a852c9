"""Brings a database to the shape that this version expects, whoever comes first."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib
import os
import sqlite3
import threading
import time
from collections.abc import Generator
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from seatrial.domain.errors import SetupFailed

from . import queries
from .engine import BUSY_SECONDS, FileWrites, is_sqlite, make_engine, sqlite_path
from .errors import file_is_busy
from .limits import MIGRATING

HEAD = "0011"
"""The newest migration in `migrations/versions`."""

VERSION_TABLE = "seatrial_schema"
"""Where a database keeps the number of its last migration."""

_MIGRATE_LOCK = 0x5EA7_0000
_PRIVATE = 0o600
_LOOK_SECONDS = 45.0
_ALONE_SECONDS = 60.0
_AGAIN_SECONDS = 0.05

# Alembic keeps the running migration in globals of the process.
_one_at_a_time = threading.Lock()


async def upgrade(url: str) -> None:
    """Migrate to `HEAD`. Safe when several processes start at once: the others wait.

    In a thread with its own loop, so that this loop goes on meanwhile. SetupFailed when the
    database was written by a newer Seatrial.
    """
    await asyncio.to_thread(_upgrade, url)


def _upgrade(url: str) -> None:
    if not is_sqlite(url):
        asyncio.run(_migrate(url))
        return
    path = sqlite_path(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(path.parent):
        _prepare_file(path)
        asyncio.run(_migrate(url))


@contextlib.contextmanager
def _alone_in(folder: Path) -> Generator[None, None, None]:
    """Hold the folder's lock; it leaves no file behind and ends with the process.

    Not waited for in the kernel: the process that holds it may be stopped. StoreUnavailable.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _ALONE_SECONDS
        while not _took(handle):
            if time.monotonic() > deadline:
                raise file_is_busy(_ALONE_SECONDS)
            time.sleep(_AGAIN_SECONDS)
        yield
    finally:
        os.close(handle)


def _took(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _prepare_file(path: Path) -> None:
    """Make the file, for its owner's eyes only, with the modes that have to be set first."""
    # Not opened again once it exists: closing it would drop the locks SQLite holds on it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, _PRIVATE))
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")


async def _migrate(url: str) -> None:
    engine = make_engine(url, poolclass=NullPool)
    try:
        async with asyncio.timeout(_LOOK_SECONDS), engine.connect() as connection:
            if await connection.run_sync(_version) == HEAD:
                return
        _import_alembic()  # takes long: not while the others wait
        writer = engine.execution_options(file_writes=FileWrites.SYNCED)
        async with asyncio.timeout(MIGRATING.statement), writer.begin() as connection:
            if not is_sqlite(url):
                await _be_the_only_one(connection)
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


async def _be_the_only_one(connection: AsyncConnection) -> None:
    for name, value in MIGRATING.settings().items():
        await connection.execute(queries.LIMIT, {"name": name, "value": value})
    statement = MIGRATING.settings()["statement_timeout"]
    await connection.execute(queries.LOCK, {"lock": _MIGRATE_LOCK, "statement": statement})


def _import_alembic() -> None:
    importlib.import_module("alembic.command")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def _run(connection: Connection) -> None:
    """Run what is missing inside the caller's transaction."""
    # Imported late: a database that is up to date needs no Alembic, which takes long to import.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        with _one_at_a_time:
            command.upgrade(config, HEAD)
    except CommandError as error:
        raise SetupFailed(
            f"The database has a shape that this version does not know: {error}",
            hint="It was used by a newer Seatrial. Update this one.",
        ) from error
