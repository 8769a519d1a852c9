"""The store in one object."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import text

from .credentials import SqlCredentials
from .database import Database
from .history import SqlHistory
from .journal import SqlJournal
from .packages import SqlPackages
from .queue import SqlQueue
from .recordings import SqlRecordings
from .tests import SqlTests
from .users import SqlUsers
from .webhooks import SqlWebhooks

_POLL_SECONDS = 2.0


class SqlStore(
    SqlUsers,
    SqlTests,
    SqlHistory,
    SqlJournal,
    SqlQueue,
    SqlCredentials,
    SqlWebhooks,
    SqlRecordings,
    SqlPackages,
):
    """Fulfils the port `Store` with SQLite or PostgreSQL. No I/O before `open`."""

    async def open(self) -> None:
        """Connect and migrate. StoreUnavailable, SetupFailed."""
        await self._database.open()

    async def ping(self) -> None:
        """Answer when the database does. StoreUnavailable."""
        async with self._database.reading() as reading:
            await reading.row(text("SELECT 1"))

    async def aclose(self) -> None:
        """Give all connections back. May be called again."""
        await self._database.aclose()


def open_store(
    url: str,
    *,
    clock: Callable[[], datetime] | None = None,
    poll_seconds: float = _POLL_SECONDS,
) -> SqlStore:
    """A store for `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://…`; await its `open()`.

    One store per process and SQLite file. Without a `clock` (which gives aware datetimes) the
    time is PostgreSQL's own, so that the clocks of its clients need not agree; for SQLite it is
    this machine's. `poll_seconds` is how often who waits looks without having been told.
    SetupFailed for any other URL.
    """
    return SqlStore(Database(url, clock=clock, poll_seconds=poll_seconds))
