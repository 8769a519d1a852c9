"""Stopped processes and servers below the store: each wait has an end, with a reason."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.databases import OWNER, PostgresDatabases, SqliteFiles, a_request
from tests.support.postgres import PostgresServer, own_postgres

from seatrial.domain.errors import StoreUnavailable
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Completion
from seatrial.store import SqlStore, database, engine, limits, migrate, open_store
from seatrial.store.limits import Limits

ROOT = Path(__file__).parents[3]
SOON_SECONDS = 12.0
"""Less than the 15 s for which SQLite waits, more than a busy machine needs."""

STOP_IN_A_MIGRATION = """
import asyncio, dataclasses, signal, sys, threading
from seatrial.store import migrate
from tests.support.stopping import end_with_parent
end_with_parent()
real = migrate._run

def stopping(connection):
    real(connection)
    print("stopped", flush=True)
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # this thread goes no further

migrate._run = stopping
migrate.MIGRATING = dataclasses.replace(migrate.MIGRATING, idle=2.0)
asyncio.run(migrate.upgrade(sys.argv[1]))
"""

STOP_WHILE_MUCH_IS_SENT = """
import asyncio, os, signal, sys
from sqlalchemy import text
from seatrial.store.database import Database, Lock
from tests.support.stopping import end_with_parent
end_with_parent()

async def main():
    database = Database(sys.argv[1], clock=None, poll_seconds=2)
    async with database.writing(lock=Lock.CLAIM) as writing:
        many = text("SELECT repeat('x', 1000000) FROM generate_series(1, 60)")
        task = asyncio.ensure_future(writing.rows(many))
        await asyncio.sleep(0.05)
        print("stopped", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
        await task

asyncio.run(main())
"""

STOP_WITH_THE_FILE = """
import os, signal, sqlite3, sys
from tests.support.stopping import end_with_parent
end_with_parent()
connection = sqlite3.connect(sys.argv[1].removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
connection.execute("BEGIN " + sys.argv[2])
connection.execute("SELECT count(*) FROM tests").fetchall()
print("stopped", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""

STOP_WITH_THE_FOLDER = """
import os, signal, sys
from pathlib import Path
from seatrial.store import migrate
from tests.support.stopping import end_with_parent
end_with_parent()
with migrate._alone_in(Path(sys.argv[1].removeprefix("sqlite+aiosqlite:///")).parent):
    print("stopped", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@contextlib.contextmanager
def stopped(program: str, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    """A process of that program which has stopped itself."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"stopped\n"
            yield process
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncGenerator[SqlStore]:
    store = open_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


@pytest.mark.postgres
async def test_a_process_that_is_stopped_in_a_migration_holds_up_no_other_start(
    postgres_databases: PostgresDatabases,
) -> None:
    url = await asyncio.to_thread(postgres_databases.empty)
    with stopped(STOP_IN_A_MIGRATION, url) as process:
        async with asyncio.timeout(200), opened(url) as store:
            await store.submit(OWNER, a_request(), max_queued=9)
        process.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(process.wait, 100) == 1  # its migration was rolled back


@pytest.mark.postgres
async def test_a_process_that_is_stopped_while_it_is_sent_much_holds_no_lock(
    postgres_databases: PostgresDatabases,
) -> None:
    url = await asyncio.to_thread(postgres_databases.migrated)
    with stopped(STOP_WHILE_MUCH_IS_SENT, url):
        async with asyncio.timeout(30), opened(url) as store:
            begun = time.monotonic()
            await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
            assert time.monotonic() - begun < SOON_SECONDS


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with own_postgres() as made:
        yield made


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are waited for a second or two."""
    monkeypatch.setattr(limits, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(database, "ORDINARY", Limits(statement=1.0))
    monkeypatch.setattr(database, "ALONE", Limits(statement=1.0))
    monkeypatch.setattr(database, "_CONNECTED_SECONDS", 2.0)


@pytest.mark.postgres
@pytest.mark.usefixtures("hasty")
async def test_a_server_that_is_stopped_is_given_up_and_found_again(server: PostgresServer) -> None:
    """A connection that gets no answer is closed: behind an address another server may come."""
    url = await asyncio.to_thread(PostgresDatabases(server).migrated)
    async with opened(url) as store:
        await store.ping()
        try:
            with pytest.raises(StoreUnavailable, match="has not answered"):
                await asyncio.wait_for(_stopped_inside(store, server), 60)
            async with asyncio.timeout(60):
                for call in (store.ping, store.refresh_places):
                    with pytest.raises(StoreUnavailable):
                        await call()
        finally:
            server.signal(signal.SIGCONT)
        async with asyncio.timeout(60):
            await store.submit(OWNER, a_request(), max_queued=9)


async def _stopped_inside(store: SqlStore, server: PostgresServer) -> None:
    async with store._database.writing() as writing:
        await writing.rows(text("SELECT 1"))
        server.signal(signal.SIGSTOP)
        await writing.rows(text("SELECT 2"))


@pytest.mark.postgres
async def test_a_store_whose_connections_were_ended_goes_on_without_an_error(
    postgres_databases: PostgresDatabases,
) -> None:
    url = await asyncio.to_thread(postgres_databases.migrated)
    async with opened(url) as store:
        await asyncio.gather(*(store.ping() for _ in range(8)))
        await _end_all_sessions(url)
        made = [store.submit(OWNER, a_request(), max_queued=99) for _ in range(8)]
        ids = {test.id for test in await asyncio.gather(*made)}
        async with store._database.writing():
            await _end_all_sessions(url)  # this one's, too: it did nothing yet
        page = await store.page(OWNER)
    assert {test.id for test in page.tests} == ids
    assert len(ids) == 8


async def _end_all_sessions(url: str) -> None:
    ours = create_async_engine(url, poolclass=NullPool)
    async with ours.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def test_a_stopped_writer_of_the_sqlite_file_ends_the_wait_of_others_with_a_reason(
    sqlite_files: SqliteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 1)
    monkeypatch.setattr(database, "_TURN_SECONDS", 2.0)
    url = await asyncio.to_thread(sqlite_files.migrated)
    async with opened(url) as store:
        with stopped(STOP_WITH_THE_FILE, url, "IMMEDIATE"):
            calls = [store.submit(OWNER, a_request(), max_queued=9) for _ in range(6)]
            async with asyncio.timeout(60):
                results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(one, StoreUnavailable) and one.hint for one in results), results
        assert await store.submit(OWNER, a_request(), max_queued=9)


async def test_a_stopped_reader_of_the_sqlite_file_holds_up_no_writer(
    sqlite_files: SqliteFiles,
) -> None:
    url = await asyncio.to_thread(sqlite_files.migrated)
    async with opened(url) as store:
        test = await store.submit(OWNER, a_request(), max_queued=9)
        await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
        await store.complete(test.id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
        with stopped(STOP_WITH_THE_FILE, url, ""):
            begun = time.monotonic()
            await store.delete(OWNER, test.id)
            await store.submit(OWNER, a_request(), max_queued=9)
            assert time.monotonic() - begun < SOON_SECONDS


async def test_a_start_does_not_wait_for_a_stopped_one_in_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_ALONE_SECONDS", 0.5)
    url = f"sqlite+aiosqlite:///{tmp_path / 'a.db'}"
    with stopped(STOP_WITH_THE_FOLDER, url):
        async with asyncio.timeout(60):
            with pytest.raises(StoreUnavailable, match="busy") as raised:
                await open_store(url).open()
    assert raised.value.hint
