"""What goes wrong in a database, in the words of the domain. The only place that maps it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from seatrial.domain.errors import (
    PlatformError,
    SeatrialError,
    SetupFailed,
    StoreFull,
    StoreUnavailable,
)

FOREIGN = (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What the libraries below raise. asyncio's and the socket's timeouts are OSErrors."""

_SQLITE_FULL = ("database or disk is full",)
_SQLITE_BROKEN = ("file is not a database", "malformed", "readonly database")
_SQLITE_LOCKED = ("locked", "busy")
_SQLITE_AWAY = ("unable to open", "disk i/o error", "closed")

# SQLSTATE classes and codes, from PostgreSQL's manual, appendix A.
_LOCKED = "55P03"
_TOO_LONG = "57014"
_FULL = ("53100",)
_SETUP = ("28", "3D", "3F", "42501")
_AWAY = ("08", "40", "53", "57", "58", "25006", "25P03")
_UNDONE = ("08", "40", "57P", "25P03")
"""What ends a transaction for a cause that a second one probably does not meet."""

_STOPPED = (
    "Try again. If it goes on, look for a process that is stopped or cut off, or another program "
    "that has the database open."
)


class Undone(StoreUnavailable):
    """The transaction was rolled back before its commit was asked for: nothing was written."""


@contextmanager
def mapped_errors() -> Generator[None, None, None]:
    """Raise what comes out of the database libraries as one of the domain's errors."""
    try:
        yield
    except FOREIGN as error:
        raise store_error(error) from error


def store_error(error: BaseException) -> SeatrialError:
    """The domain's error for one of the libraries'. What is not known is our own defect."""
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("Every database connection is in use.")
    cause = _cause(error)
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    state = _sqlstate(cause)
    if state:
        return _of_sqlstate(state, cause)
    if isinstance(cause, OSError | asyncpg.InterfaceError) or _is_lost(error):
        return StoreUnavailable(f"The database does not answer: {cause}")
    return PlatformError(f"The database refused a statement of ours: {cause}")


def undone(error: BaseException) -> Undone | None:
    """That error as one after which the same may be tried again at once; None for others."""
    if not isinstance(error, FOREIGN):
        return None
    mapped, cause = store_error(error), _cause(error)
    state = _sqlstate(cause)
    is_gone = state.startswith(_UNDONE) if state else not isinstance(cause, sqlite3.Error)
    if type(mapped) is not StoreUnavailable or not is_gone or isinstance(error, PoolTimeout):
        return None
    return Undone(mapped.message)


def file_is_busy(seconds: float) -> StoreUnavailable:
    """The error of who waited for so long to write SQLite's file."""
    return StoreUnavailable(f"The database file was busy for {seconds:.0f} s.", hint=_STOPPED)


def _of_sqlite(error: sqlite3.Error) -> SeatrialError:
    text = str(error).lower()
    if any(part in text for part in _SQLITE_FULL):
        return StoreFull("The disk of the database is full.", hint="Free some disk space.")
    if any(part in text for part in _SQLITE_BROKEN):
        return SetupFailed(
            f"The database file cannot be used: {error}",
            hint="Check that it is Seatrial's and writable, or restore it from a backup.",
        )
    if any(part in text for part in _SQLITE_LOCKED):
        return StoreUnavailable(f"Another process holds the database file: {error}", hint=_STOPPED)
    if any(part in text for part in _SQLITE_AWAY):
        return StoreUnavailable(f"The database does not answer: {error}")
    return PlatformError(f"The database refused a statement of ours: {error}")


def _of_sqlstate(state: str, error: BaseException) -> SeatrialError:
    if state.startswith(_FULL):
        return StoreFull("The disk of the database is full.", hint="Free some disk space.")
    if state.startswith(_SETUP):
        return SetupFailed(
            f"The database refused us: {error}", hint="Check the user, password and database."
        )
    if state == _LOCKED:
        return StoreUnavailable("Another process holds a lock of the database.", hint=_STOPPED)
    if state == _TOO_LONG:
        return StoreUnavailable(
            "A statement took longer than the database lets it.",
            hint="Try again. If it goes on, the database is overloaded.",
        )
    if state.startswith(_AWAY):
        return StoreUnavailable(f"The database does not answer: {error}")
    return PlatformError(f"The database refused a statement of ours: {error}")


def _cause(error: BaseException) -> BaseException:
    """The driver's own error below SQLAlchemy's wrappers."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return _cause(error.orig)
    if error.__cause__ is not None and _sqlstate(error.__cause__):
        return error.__cause__
    return error


def _sqlstate(error: BaseException) -> str:
    state: Any = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
