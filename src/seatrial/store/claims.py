"""Which tests a claim takes, and what is known of the workers that claim."""

from __future__ import annotations

from datetime import timedelta

from . import queries
from .database import Writing


async def choose(writing: Writing, max_per_user: int, max_total: int, count: int) -> list[int]:
    """The next tests in exact order, within the caps (0 is none). Needs the claim lock.

    Walks the queue once: each look goes on behind the last one, without the users that have
    meanwhile reached their cap.
    """
    running = {row.owner: row.running for row in await writing.rows(queries.RUNNING_BY_OWNER)}
    room = count if not max_total else min(count, max_total - sum(running.values()))
    full = {owner for owner, many in running.items() if max_per_user and many >= max_per_user}
    chosen: list[int] = []
    after = 0
    while len(chosen) < room:
        wanted = room - len(chosen)
        rows = await writing.rows(queries.next_in_line(after, sorted(full), wanted))
        full_before = len(full)
        for row in rows:
            after = row.seq
            if row.owner in full:
                continue
            chosen.append(row.seq)
            running[row.owner] = running.get(row.owner, 0) + 1
            if max_per_user and running[row.owner] >= max_per_user:
                full.add(row.owner)
        if len(rows) < wanted or len(full) == full_before:
            break
    return chosen


async def record_worker(
    writing: Writing,
    name: str,
    lease_seconds: float,
    *,
    slots: int | None = None,
    max_per_user: int | None = None,
    max_total: int | None = None,
    trouble: str | None = None,
    engine: str | None = None,
) -> None:
    """Note a worker's heartbeat, and what it said of itself this time."""
    values = {
        "name": name,
        "seen_at": writing.now,
        "fresh_until": writing.now + timedelta(seconds=lease_seconds),
        "slots": slots,
        "max_per_user": max_per_user,
        "max_total": max_total,
        "trouble": trouble,
        "engine": engine,
    }
    await writing.execute(queries.HEARTBEAT, values)
