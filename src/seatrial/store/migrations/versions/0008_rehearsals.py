"""What came out when a package was tried out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_UNTRIED = sa.text("checks IS NULL")


def upgrade() -> None:
    """Add the columns, and the index by which workers find what to try out."""
    op.add_column("packages", sa.Column("checks", sa.Text))
    op.add_column("packages", sa.Column("rehearse_until", sa.BigInteger))
    op.create_index(
        "packages_to_rehearse",
        "packages",
        ["made_at"],
        sqlite_where=_UNTRIED,
        postgresql_where=_UNTRIED,
    )
