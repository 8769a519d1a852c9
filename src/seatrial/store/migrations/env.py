"""Alembic runs this file: it connects the migrations to the connection that it is given."""

from __future__ import annotations

from alembic import context

from seatrial.store.migrate import VERSION_TABLE
from seatrial.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
