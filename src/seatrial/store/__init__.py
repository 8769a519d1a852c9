"""The database: users, tests, journals and the queue, on SQLite or PostgreSQL."""

from __future__ import annotations

from .store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
