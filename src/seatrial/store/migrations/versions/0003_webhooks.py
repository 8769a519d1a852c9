"""Webhooks that are told when a test has ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Time = sa.BigInteger()
_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "webhooks",
        sa.Column(
            "test_seq",
            _Big,
            sa.ForeignKey("tests.seq", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _Time),
        sa.Column("status", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("delivered_at", _Time),
    )
    op.create_index(
        "webhooks_due", "webhooks", ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE
    )
