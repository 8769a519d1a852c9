"""The first tables: users, tests with their journal, workers, idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Time = sa.BigInteger()
_QUEUED = sa.text("phase = 'queued'")
_HELD = sa.text("phase IN ('building', 'running')")
_ENDED = sa.text("outcome IS NOT NULL")


def upgrade() -> None:
    """Make every table."""
    _make_users()
    _make_tests()
    _make_journal()
    _make_workers()
    _make_keys()


def _make_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", _Time, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column(
            "user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", _Time, nullable=False),
    )
    op.create_index("tokens_of_user", "tokens", ["user_id", "label"])


def _make_tests() -> None:
    op.create_table(
        "tests",
        sa.Column("seq", _Big, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("retry_of", sa.Text),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("environment", sa.Text),
        sa.Column("worker", sa.Text),
        sa.Column("lease_until", _Time),
        sa.Column("last_event", sa.Integer, nullable=False),
        sa.Column("last_frame", _Big, nullable=False),
        sa.Column("place", sa.Integer),
        sa.Column("place_reason", sa.Text),
        sa.Column("created_at", _Time, nullable=False),
        sa.Column("started_at", _Time),
        sa.Column("claimed_at", _Time),
        sa.Column("completed_at", _Time),
        sqlite_autoincrement=True,
    )
    op.create_index("tests_history", "tests", ["owner", "created_at", "id", "search"])
    op.create_index("tests_history_by_outcome", "tests", ["owner", "outcome", "created_at", "id"])
    _partial_index("tests_queued", ["seq", "owner"], _QUEUED)
    _partial_index("tests_held", ["owner", "lease_until"], _HELD)
    _partial_index("tests_ended", ["completed_at"], _ENDED)
    _partial_index("tests_outcomes", ["outcome"], _ENDED)


def _partial_index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "tests", columns, sqlite_where=where, postgresql_where=where)


def _make_journal() -> None:
    op.create_table(
        "bodies",
        _part_of_test(primary_key=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("metrics", sa.Text),
    )
    op.create_table(
        "events",
        _part_of_test(primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _Time, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )


def _make_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("seen_at", _Time, nullable=False),
        sa.Column("fresh_until", _Time, nullable=False),
        sa.Column("max_per_user", sa.Integer),
        sa.Column("max_total", sa.Integer),
    )


def _make_keys() -> None:
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("key_hash", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        _part_of_test(),
        sa.Column("created_at", _Time, nullable=False),
    )
    op.create_index("ix_idempotency_test_seq", "idempotency", ["test_seq"])


def _part_of_test(*, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "test_seq",
        _Big,
        sa.ForeignKey("tests.seq", ondelete="CASCADE"),
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
    )
