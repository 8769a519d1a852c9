"""Every exception of the database libraries becomes one of the domain's, in one table."""

from __future__ import annotations

import inspect
import sqlite3

import asyncpg
import pytest
import sqlalchemy.exc
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from seatrial.domain.errors import (
    NoCapacity,
    PlatformError,
    SetupFailed,
    StoreFull,
    StoreUnavailable,
)
from seatrial.store.errors import FOREIGN, mapped_errors, store_error


def _sqlite(text: str, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> DBAPIError:
    return OperationalError("SELECT 1", {}, kind(text))


def _postgres(kind: type[asyncpg.PostgresError]) -> DBAPIError:
    """As SQLAlchemy's dialect wraps it: the driver's error is the cause of its own."""
    wrapper = Exception("wrapped by the dialect")
    wrapper.__cause__ = kind("what the server said")
    return DBAPIError("SELECT 1", {}, wrapper)


def _lost_connection() -> DBAPIError:
    return DBAPIError("SELECT 1", {}, Exception("gone"), connection_invalidated=True)


TABLE: list[tuple[BaseException, type[PlatformError]]] = [
    (_sqlite("database is locked"), StoreUnavailable),
    (_sqlite("database table is locked"), StoreUnavailable),
    (_sqlite("unable to open database file"), StoreUnavailable),
    (_sqlite("disk I/O error"), StoreUnavailable),
    (sqlite3.ProgrammingError("Cannot operate on a closed database."), StoreUnavailable),
    (_sqlite("database or disk is full"), StoreFull),
    (_sqlite("attempt to write a readonly database"), SetupFailed),
    (_sqlite("database disk image is malformed", sqlite3.DatabaseError), SetupFailed),
    (sqlite3.DatabaseError("file is not a database"), SetupFailed),
    (_sqlite("no such table: tests"), PlatformError),
    (_sqlite("UNIQUE constraint failed: tests.id", sqlite3.IntegrityError), PlatformError),
    (_postgres(asyncpg.exceptions.DiskFullError), StoreFull),
    (_postgres(asyncpg.exceptions.TooManyConnectionsError), StoreUnavailable),
    (_postgres(asyncpg.exceptions.AdminShutdownError), StoreUnavailable),
    (_postgres(asyncpg.exceptions.CannotConnectNowError), StoreUnavailable),
    (_postgres(asyncpg.exceptions.ConnectionDoesNotExistError), StoreUnavailable),
    (_postgres(asyncpg.exceptions.DeadlockDetectedError), StoreUnavailable),
    (_postgres(asyncpg.exceptions.SerializationError), StoreUnavailable),
    (_postgres(asyncpg.exceptions.QueryCanceledError), StoreUnavailable),
    (_postgres(asyncpg.exceptions.ReadOnlySQLTransactionError), StoreUnavailable),
    (asyncpg.exceptions.InvalidPasswordError("no"), SetupFailed),
    (asyncpg.exceptions.InvalidCatalogNameError("no such database"), SetupFailed),
    (_postgres(asyncpg.exceptions.InsufficientPrivilegeError), SetupFailed),
    (_postgres(asyncpg.exceptions.UndefinedTableError), PlatformError),
    (_postgres(asyncpg.exceptions.UniqueViolationError), PlatformError),
    (asyncpg.InterfaceError("connection is closed"), StoreUnavailable),
    (InterfaceError("SELECT 1", {}, OSError("reset by peer")), StoreUnavailable),
    (_lost_connection(), StoreUnavailable),
    (ConnectionRefusedError("refused"), StoreUnavailable),
    (TimeoutError(), StoreUnavailable),
    (sqlalchemy.exc.TimeoutError("QueuePool limit"), StoreUnavailable),
    (ProgrammingError("SELEC 1", {}, Exception("syntax")), PlatformError),
    (sqlalchemy.exc.InvalidRequestError("a mistake of ours"), PlatformError),
]


@pytest.mark.parametrize(("error", "expected"), TABLE, ids=lambda each: str(each)[:60])
def test_an_error_of_the_libraries_becomes_the_domains(
    error: BaseException, expected: type[PlatformError]
):
    mapped = store_error(error)

    assert type(mapped) is expected
    assert mapped.retryable == (expected is not SetupFailed)


def test_every_error_that_sqlalchemy_can_raise_is_caught():
    raised = [
        kind
        for _, kind in inspect.getmembers(sqlalchemy.exc, inspect.isclass)
        if issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__ == sqlalchemy.exc.__name__
    ]

    assert len(raised) > 20
    # The emulated one stands in for a driver's own error, and comes out wrapped like those.
    missed = {kind.__name__ for kind in raised if not issubclass(kind, FOREIGN)}
    assert missed <= {"EmulatedDBAPIException"}


def test_the_domains_own_errors_pass_through():
    error = NoCapacity("full")

    with pytest.raises(NoCapacity) as raised, mapped_errors():
        raise error
    assert raised.value is error
