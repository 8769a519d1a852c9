"""The history by model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_FIRST = {"sqlite": "substr(model, 1, instr(model, ',') - 1)"}
_FIRST_ELSEWHERE = "split_part(model, ',', 1)"


def upgrade() -> None:
    """Add the column, fill it with the first model of each test, and add the index."""
    op.add_column("tests", sa.Column("main_model", sa.Text))
    first = _FIRST.get(op.get_bind().dialect.name, _FIRST_ELSEWHERE)
    main = f"CASE WHEN model LIKE '%,%' THEN {first} ELSE model END"
    op.execute(f"UPDATE tests SET main_model = substr({main}, 1, 300)")  # noqa: S608 - constants
    op.create_index(
        "tests_history_by_model",
        "tests",
        ["owner", "main_model", "created_at", "id", "outcome"],
    )
