"""What each worker runs tests on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    op.add_column("workers", sa.Column("engine", sa.Text, nullable=False, server_default=""))
