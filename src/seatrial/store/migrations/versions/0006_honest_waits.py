"""What was announced to a waiting test, what it is like, what it takes, what hinders a worker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PROMISED = sa.text("promised_high_ms IS NOT NULL AND started_at IS NOT NULL")


def upgrade() -> None:
    """Add the columns. Tests that are there already count as small."""
    for name in ("place_high_ms", "promised_low_ms", "promised_high_ms"):
        op.add_column("tests", sa.Column(name, _Big))
    likeness = sa.Column("likeness", sa.Text, nullable=False, server_default="")
    op.add_column("tests", likeness)
    op.add_column("tests", sa.Column("size", _Big, nullable=False, server_default="0"))
    op.add_column("workers", sa.Column("trouble", sa.Text, nullable=False, server_default=""))
    op.create_index(
        "tests_promised",
        "tests",
        ["seq"],
        sqlite_where=_PROMISED,
        postgresql_where=_PROMISED,
    )
