"""Which token made a token, and when it was last used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns. Tokens that exist have no parent."""
    if op.get_bind().dialect.name == "sqlite":
        _make_again()
    else:
        op.add_column("tokens", sa.Column("last_used", sa.BigInteger))
        made_by = sa.ForeignKey("tokens.hash", ondelete="CASCADE")
        op.add_column("tokens", sa.Column("parent", sa.Text, made_by))
    op.create_index("tokens_of_parent", "tokens", ["parent"])


def _make_again() -> None:
    """SQLite adds no foreign key to a table that exists."""
    op.create_table(
        "new_tokens",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column(
            "user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used", sa.BigInteger),
        sa.Column("parent", sa.Text, sa.ForeignKey("tokens.hash", ondelete="CASCADE")),
    )
    op.execute(
        "INSERT INTO new_tokens (hash, user_id, label, created_at) "
        "SELECT hash, user_id, label, created_at FROM tokens"
    )
    op.drop_table("tokens")
    op.rename_table("new_tokens", "tokens")
    op.create_index("tokens_of_user", "tokens", ["user_id", "label"])
