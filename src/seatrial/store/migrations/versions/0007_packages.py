"""Deployment packages, and what a test ran on, from which they are made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _test() -> sa.Column[int]:
    return sa.Column(
        "test_seq",
        _Big,
        sa.ForeignKey("tests.seq", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


def upgrade() -> None:
    """Make both tables."""
    op.create_table("builds", _test(), sa.Column("data", sa.LargeBinary, nullable=False))
    op.create_table(
        "packages",
        _test(),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
