"""The receipt of a completed test."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Tests that ended before have none."""
    op.add_column("bodies", sa.Column("receipt", sa.Text))
