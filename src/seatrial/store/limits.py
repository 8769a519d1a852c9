"""How long PostgreSQL lets a session of ours hold or wait for something.

The server itself counts these times, so that they also end what a process does that is stopped,
whose machine is paused or whose network is gone: it cannot end anything then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

IDLE_SECONDS = 3.0
"""A transaction whose client sends nothing for this time is rolled back and its locks are
released. Between two statements of a transaction there are at most milliseconds of our work."""

LOCK_SECONDS = 8.0
"""Longest wait for one lock: longer than two stopped processes in a row can hold it."""

UNSENT_SECONDS = 4.0
"""A client that takes no data for this time is disconnected: it may hold locks meanwhile."""


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


@dataclass(frozen=True)
class Limits:
    """Limits of one kind of transaction, in seconds."""

    statement: float
    """Longest run time of one statement, waits for locks included."""

    lock: float = LOCK_SECONDS
    """Longest wait for one lock."""

    idle: float = IDLE_SECONDS
    """Longest pause between two statements."""

    @property
    def answer(self) -> float:
        """How long the client waits for an answer: a server that is stopped itself ends nothing."""
        return self.statement + _ANSWER_SECONDS

    def settings(self) -> Mapping[str, str]:
        """PostgreSQL's names and values for them."""
        return {
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.lock),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle),
        }


_ANSWER_SECONDS = 10.0

ORDINARY = Limits(statement=15.0)
"""Of every session. All of it is below the time of a lease."""

ALONE = Limits(statement=8.0)
"""Of transactions that hold one of the locks that all processes share."""

REMOVING = Limits(statement=600.0)
"""Of batches of tests that are removed: a journal may have many millions of lines."""

MIGRATING = Limits(statement=3600.0, lock=600.0, idle=15.0)
"""Of a migration, which rewrites tables. Processes that start meanwhile wait for it."""

SESSION: Mapping[str, str] = {
    **ORDINARY.settings(),
    "tcp_user_timeout": _milliseconds(UNSENT_SECONDS),
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
}
"""What each new connection sets. On Unix sockets the last four mean nothing."""
