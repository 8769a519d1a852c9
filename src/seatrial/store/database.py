"""The connection to the database: transactions, locks, and what is told when one commits."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, TypeVar

from sqlalchemy import Executable, Row
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from seatrial.domain.errors import StoreUnavailable

from . import migrate, queries
from .engine import BUSY_SECONDS, FileWrites, is_sqlite, make_engine
from .errors import FOREIGN, file_is_busy, mapped_errors, undone
from .limits import ALONE, ORDINARY, Limits
from .listener import CANCEL, JOURNAL, QUEUE_CHANGED, Listener
from .wakeups import QUEUE, Hub
from .whole import whole

Answer = TypeVar("Answer")

_CONNECTIONS = 10
_VACUUMED_PAGES = 1000
_CHECKPOINT_MILLISECONDS = 200
"""A reader of another process keeps the write-ahead log from being emptied; meanwhile nobody can
write, so it is emptied another time."""

_CONNECTED_SECONDS = 45.0
"""Longest wait for a connection: SQLAlchemy's 30 s for a free one, then for its first answer."""

_CLOSED_SECONDS = 10.0
_TURN_SECONDS = 2.0 * BUSY_SECONDS
"""How long a writer waits for the others of this process before it gives up, on SQLite."""

_EMPTY_LOG = f"""
PRAGMA busy_timeout = {_CHECKPOINT_MILLISECONDS};
PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA busy_timeout = {BUSY_SECONDS * 1000};
"""


class Lock(IntEnum):
    """What only one transaction at a time may do, in all processes."""

    SUBMIT = 0x5EA7_0001
    CLAIM = 0x5EA7_0002
    USERS = 0x5EA7_0003
    CREDENTIALS = 0x5EA7_0004


class Reading:
    """A transaction that only looks. `now` is one moment for all of it."""

    def __init__(
        self, connection: AsyncConnection, now: datetime, limits: Limits | None = None
    ) -> None:
        """Without `limits` (SQLite) an answer is waited for without end: it is a thread's."""
        self.now = now
        self._connection = connection
        self._limits = limits

    async def rows(self, statement: Executable, **values: Any) -> Sequence[Row[Any]]:
        """Every row of the answer."""
        return (await self.execute(statement, values)).all()

    async def row(self, statement: Executable, **values: Any) -> Row[Any] | None:
        """The first row of the answer, None for none."""
        return (await self.execute(statement, values)).first()

    async def number(self, statement: Executable, **values: Any) -> int:
        """The one number that the answer consists of."""
        return int((await self.execute(statement, values)).scalar_one())

    async def execute(
        self, statement: Executable, values: dict[str, Any] | list[dict[str, Any]]
    ) -> CursorResult[Any]:
        """Run a statement, or the same one for each of many values."""
        return await _answer(
            self._connection, self._connection.execute(statement, values), self._limits
        )


class Writing(Reading):
    """A transaction that changes something, and tells who waits for it when it commits."""

    def __init__(
        self, connection: AsyncConnection, now: datetime, limits: Limits | None = None
    ) -> None:
        super().__init__(connection, now, limits)
        self.messages: dict[tuple[str, str], None] = {}

    def journal_grew(self, test_id: str) -> None:
        """Tell the followers of that test."""
        self.messages[JOURNAL, test_id] = None

    def queue_changed(self) -> None:
        """Tell the workers to look at the queue."""
        self.messages[QUEUE_CHANGED, ""] = None

    def cancel_requested(self, test_id: str) -> None:
        """Tell the workers that this test shall end."""
        self.messages[CANCEL, test_id] = None


class Database:
    """One database. No I/O before `open`."""

    def __init__(
        self, url: str, *, clock: Callable[[], datetime] | None, poll_seconds: float
    ) -> None:
        """Without a `clock` the time is PostgreSQL's, or for SQLite this machine's."""
        self.hub = Hub(poll_seconds)
        self._url = url
        self._clock = clock
        self._told: tuple[datetime, float] | None = None
        self._sqlite = is_sqlite(url)
        self._engine = make_engine(url, pool_size=_CONNECTIONS)
        self._lazily_synced = self._engine.execution_options(file_writes=FileWrites.LAZY)
        self._synced = self._engine.execution_options(file_writes=FileWrites.SYNCED)
        # One writer at a time and in order: waiting in SQLite itself is polling, and unfair.
        self._writer = asyncio.Lock()
        self._listener: Listener | None = None

    async def open(self) -> None:
        """Migrate, then listen. StoreUnavailable, SetupFailed."""
        with mapped_errors():
            await migrate.upgrade(self._url)
            if not self._sqlite and self._listener is None:
                listener = Listener(self._url, self.hub, self._set_server_time)
                await listener.start()
                self._listener = listener

    async def aclose(self) -> None:
        """Give every connection back. May be called again."""
        if self._listener is not None:
            await self._listener.stop()
            self._listener = None
        with mapped_errors():
            await whole(self._engine.dispose(), seconds=_CLOSED_SECONDS)

    def now(self) -> datetime:
        """The time by which leases are counted, the same for all who share the database."""
        if self._clock is not None:
            return self._clock()
        if self._told is None:
            return datetime.now(UTC)
        # Counted on from the server's word: this machine's clock may be set meanwhile, and an
        # hour's jump would make every other worker's lease look as if it had run out.
        server, at = self._told
        return server + timedelta(seconds=time.monotonic() - at)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Reading, None]:
        """Look at the database. On SQLite at one state of it."""
        with mapped_errors():
            async with _connected(self._engine) as connection:
                yield Reading(connection, self.now(), self._limits(ORDINARY))

    @asynccontextmanager
    async def writing(
        self, *, lock: Lock | None = None, durable: bool = True, limits: Limits = ORDINARY
    ) -> AsyncGenerator[Writing, None]:
        """Change the database: all of it or, when the block raises, nothing.

        Once the block has ended the change survives the end of the process, always. With
        `durable` it also survives a loss of power; on SQLite a change without it survives that
        once a later durable one was made (PostgreSQL decides by its own configuration).

        Raises: Undone when the connection was lost before the commit; see `part.repeated`.
        """
        engine = self._synced if durable else self._lazily_synced
        mine = self._limits(ALONE if lock is not None else limits)
        with mapped_errors():
            async with (
                self._turn(),
                _connected(engine) as connection,
                _changing(connection, mine),
            ):
                writing = Writing(connection, self.now(), mine)
                if mine is not None:
                    await _restrict(writing, mine, lock)
                yield writing
                if writing.messages and not self._sqlite:
                    await writing.execute(queries.notify(tuple(writing.messages)), {})
        if self._sqlite:
            self._ring(writing)

    async def give_back_space(self) -> None:
        """Let SQLite's file shrink by what was removed. PostgreSQL does this by itself."""
        if not self._sqlite:
            return
        free, before = await self._vacuum(), None
        # In steps, so that other writers get their turn; until there is nothing more to gain.
        while free and free != before:
            free, before = await self._vacuum(), free
        with mapped_errors():
            async with self._turn(), _connected(self._engine) as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await whole(driver.executescript(_EMPTY_LOG))

    async def _vacuum(self) -> int:
        """Give some free pages back; how many there still are."""
        with mapped_errors():
            async with self._turn(), _connected(self._engine) as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                # As a script: a single statement would stop after the first page.
                vacuum = f"PRAGMA incremental_vacuum({_VACUUMED_PAGES})"
                await whole(driver.executescript(vacuum))
                rows: Any = await whole(driver.execute_fetchall("PRAGMA freelist_count"))
                return int(rows[0][0])

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None, None]:
        """On SQLite: be this process's only writer. StoreUnavailable when it takes too long."""
        if not self._sqlite:
            yield
            return
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._writer.acquire()
        except TimeoutError as error:
            raise file_is_busy(_TURN_SECONDS) from error
        try:
            yield
        finally:
            self._writer.release()

    def _limits(self, limits: Limits) -> Limits | None:
        return None if self._sqlite else limits

    def _ring(self, writing: Writing) -> None:
        for channel, payload in writing.messages:
            if channel == JOURNAL:
                self.hub.journal_grew(payload)
            else:
                self.hub.tell_workers(payload or QUEUE)

    def _set_server_time(self, server: datetime) -> None:
        self._told = server, time.monotonic()


async def _restrict(writing: Writing, limits: Limits, lock: Lock | None) -> None:
    """Set other limits than the session's for this transaction, and take its lock, at once."""
    if lock is not None:
        values = {"lock": int(lock), "statement": limits.settings()["statement_timeout"]}
        await writing.execute(queries.LOCK, values)
    elif limits is not ORDINARY:
        for name, value in limits.settings().items():
            await writing.execute(queries.LIMIT, {"name": name, "value": value})


async def _answer(
    connection: AsyncConnection, step: Awaitable[Answer], limits: Limits | None
) -> Answer:
    """What the database answers; without an answer in time the connection is closed."""
    seconds = None if limits is None else limits.answer
    return await whole(step, seconds=seconds, cut=lambda: _cut(connection))


def _cut(connection: AsyncConnection) -> None:
    """Close it without a word: nobody would answer."""
    if connection.sync_connection is not None:
        driver: Any = connection.sync_connection.connection.driver_connection
        driver.terminate()


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection, None]:
    """A connection of the pool, which always gets it back."""
    connection = engine.connect()
    limits = None if engine.dialect.name == "sqlite" else ORDINARY
    try:
        await whole(connection.start(), seconds=None if limits is None else _CONNECTED_SECONDS)
        yield connection
    finally:
        if connection.sync_connection is not None:
            await _answer(connection, connection.close(), limits)


@asynccontextmanager
async def _changing(
    connection: AsyncConnection, limits: Limits | None
) -> AsyncGenerator[None, None]:
    """A transaction: committed, or rolled back when the block raises or is cancelled."""
    transaction = connection.begin()
    await _answer(connection, transaction.start(), limits)
    asked = False
    try:
        yield
        asked = True
        await _answer(connection, transaction.commit(), limits)
    except BaseException as error:
        if transaction.is_active:
            # Its own error is of no interest: a lost connection rolls back as well.
            with contextlib.suppress(*FOREIGN, StoreUnavailable):
                await _answer(connection, transaction.rollback(), limits)
        again = None if asked else undone(error)
        if again is not None:
            raise again from error
        raise
