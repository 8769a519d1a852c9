"""The tables. `migrations/` makes them; a test holds both to the same shape.

A row of `tests` is the test, its queue entry and its lease in one. It is kept narrow, since
every appended event updates it: what is large (request, result) stands in `bodies`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """A moment as whole microseconds since 1970 (UTC): the same, and exact, on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Write an aware datetime."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Read it back in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


_Big = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

QUEUED = text("phase = 'queued'")
"""Waits for a worker. Written out, not bound: only so does a partial index serve it."""

HELD = text("phase IN ('building', 'running')")
"""A worker holds it."""

ENDED = text("outcome IS NOT NULL")
"""Completed."""

DUE = text("due_at IS NOT NULL")
"""Somebody is to be told of a test's end."""

UNTRIED = text("checks IS NULL")
"""Not tried out yet."""

PROMISED = text("promised_high_ms IS NOT NULL AND started_at IS NOT NULL")
"""Had to wait, and does no more."""


def _of_its_test(column: str = "tests.seq") -> Column[int]:
    """Whose a row is; it goes with it."""
    return Column(
        "test_seq",
        _Big,
        ForeignKey(column, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # To the minute or so: a busy token is not written at every request.
    Column("last_used", UtcTime),
    # The token that made it, with which it ends; none for those of this machine's own user.
    Column("parent", Text, ForeignKey("tokens.hash", ondelete="CASCADE")),
    Index("tokens_of_user", "user_id", "label"),
    Index("tokens_of_parent", "parent"),
)

tests = Table(
    "tests",
    metadata,
    # The order of submission, and so the queue's. Never given out twice.
    Column("seq", _Big, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("name", Text),
    Column("query", Text, nullable=False),
    Column("model", Text),
    # The first of its models, as the history is narrowed down to; an index holds it.
    Column("main_model", Text),
    # Name, query and id in folded case, the beginnings of them: what a search looks at.
    Column("search", Text, nullable=False),
    Column("retry_of", Text),
    Column("phase", Text, nullable=False),
    Column("outcome", Text),
    Column("failure_code", Text),
    Column("attempt", Integer, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("environment", Text),
    Column("worker", Text),
    Column("lease_until", UtcTime),
    # The number of the journal's last event; raised in the transaction that writes the event.
    Column("last_event", Integer, nullable=False),
    # The last harness frame of the present attempt that the journal holds.
    Column("last_frame", _Big, nullable=False),
    # What the last `queue` event said.
    Column("place", Integer),
    Column("place_reason", Text),
    Column("place_high_ms", _Big),
    # The wait that was announced at submission, for tests that had to wait.
    Column("promised_low_ms", _Big),
    Column("promised_high_ms", _Big),
    # Tests that need the same packages have the same: their durations tell of each other.
    Column("likeness", Text, nullable=False, server_default=""),
    # About how many bytes the test takes, its journal included.
    Column("size", _Big, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("claimed_at", UtcTime),
    Column("completed_at", UtcTime),
    # `search` is in it so that a search reads the index alone.
    Index("tests_history", "owner", "created_at", "id", "search"),
    Index("tests_history_by_outcome", "owner", "outcome", "created_at", "id"),
    # `outcome` is in it so that narrowing down to both reads the index alone.
    Index("tests_history_by_model", "owner", "main_model", "created_at", "id", "outcome"),
    Index("tests_queued", "seq", "owner", sqlite_where=QUEUED, postgresql_where=QUEUED),
    Index("tests_held", "owner", "lease_until", sqlite_where=HELD, postgresql_where=HELD),
    Index("tests_ended", "completed_at", sqlite_where=ENDED, postgresql_where=ENDED),
    Index("tests_outcomes", "outcome", sqlite_where=ENDED, postgresql_where=ENDED),
    Index("tests_promised", "seq", sqlite_where=PROMISED, postgresql_where=PROMISED),
    sqlite_autoincrement=True,
)

bodies = Table(
    "bodies",
    metadata,
    _of_its_test(),
    Column("request", Text, nullable=False),
    Column("result", Text),
    Column("failure", Text),
    Column("metrics", Text),
    Column("receipt", Text),
)

events = Table(
    "events",
    metadata,
    _of_its_test(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("data", Text, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slots", Integer, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    # Its heartbeat counts as fresh until then: one lease after the last renewal.
    Column("fresh_until", UtcTime, nullable=False),
    # The caps it last claimed with: they tell a waiting user why the test waits.
    Column("max_per_user", Integer),
    Column("max_total", Integer),
    # What keeps it from working, in words for who waits; empty when nothing does.
    Column("trouble", Text, nullable=False, server_default=""),
    # What it runs tests on, in words; empty until it was seen once.
    Column("engine", Text, nullable=False, server_default=""),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key_hash", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column(
        "test_seq", _Big, ForeignKey("tests.seq", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("created_at", UtcTime, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    _of_its_test(),
    Column("url", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is to be tried: from the end of its test on, until it was taken or is given up.
    Column("due_at", UtcTime),
    Column("status", Integer),
    Column("message", Text, nullable=False),
    Column("delivered_at", UtcTime),
    Index("webhooks_due", "due_at", sqlite_where=DUE, postgresql_where=DUE),
)

gateway_keys = Table(
    "gateway_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("public", Text, nullable=False),
    # The one that became current last is the one that credentials are sealed to.
    Column("current_since", UtcTime, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("base_url", Text),
    Column("region", Text),
    # The key that `sealed` can be opened with.
    Column("key_id", Text, nullable=False, index=True),
    Column("sealed", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    _of_its_test(),
    # Whose calls these are: the test's latest attempt that recorded any.
    Column("attempt", Integer, nullable=False),
    Column("setup", Text, nullable=False),
    # Why it can't be replayed.
    Column("problem", Text),
)

recorded_calls = Table(
    "recorded_calls",
    metadata,
    _of_its_test("recordings.test_seq"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("facts", Text, nullable=False),
    Column("bodies", LargeBinary, nullable=False),
)

builds = Table(
    "builds",
    metadata,
    _of_its_test(),
    # What the last attempt ran on, compressed: a lock with all hashes is large.
    Column("data", LargeBinary, nullable=False),
)

packages = Table(
    "packages",
    metadata,
    _of_its_test(),
    Column("target", Text, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    # Paths and notes, as JSON.
    Column("facts", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("content", LargeBinary, nullable=False),
    # The checks of its rehearsal, as JSON, once it was tried out.
    Column("checks", Text),
    # Until then a worker has it to try it out.
    Column("rehearse_until", UtcTime),
    Index("packages_to_rehearse", "made_at", sqlite_where=UNTRIED, postgresql_where=UNTRIED),
)


def webhook_columns() -> tuple[Any, ...]:
    """The columns of a test's webhook, to be read with the test."""
    kept = ("state", "attempts", "due_at", "status", "message", "delivered_at")
    return tuple(webhooks.c[name].label(f"webhook_{name}") for name in kept)
