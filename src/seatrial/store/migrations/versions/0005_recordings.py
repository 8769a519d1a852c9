"""Recordings of model calls, to answer a test's calls from again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "recordings",
        sa.Column(
            "test_seq",
            _Big,
            sa.ForeignKey("tests.seq", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("setup", sa.Text, nullable=False),
        sa.Column("problem", sa.Text),
    )
    op.create_table(
        "recorded_calls",
        sa.Column(
            "test_seq",
            _Big,
            sa.ForeignKey("recordings.test_seq", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("bodies", sa.LargeBinary, nullable=False),
    )
