"""How fast the store is: claims from a long queue, pages of a long history, appends, round trips.

    python benchmarks/store.py                              SQLite in a temporary folder
    python benchmarks/store.py postgresql+asyncpg://…       an empty PostgreSQL database
    python benchmarks/store.py --tests 20000 …              a shorter history

Prints milliseconds (p50, p99) beside the target, and what syncing each commit costs.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from seatrial.domain.events import LogEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Completion, Result
from seatrial.store import SqlStore, open_store
from seatrial.store.convert import to_json
from seatrial.store.engine import FileWrites, make_engine
from seatrial.store.ids import new_test_id
from seatrial.store.tables import bodies, tests

OWNERS = [f"owner-{number}" for number in range(10)]
REQUEST = TestRequest(files={"agent.py": "print('hello')\n" * 40}, query="What is 6 times 7?")
DONE = Completion(outcome=Outcome.SUCCEEDED, result=Result(response="42"))


async def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--tests", type=int, default=100_000)
    parser.add_argument("--queued", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seatrial-bench-") as folder:
        url = options.url or f"sqlite+aiosqlite:///{folder}/bench.db"
        async with _opened(url) as store:
            await _measure(store, url, options.tests, options.queued)


async def _measure(store: SqlStore, url: str, kept: int, queued: int) -> None:
    await round_trips(store)
    await appends(store)
    engine = make_engine(url)
    await _fill(engine, kept, queued=0)
    await pages(store, kept)
    await _fill(engine, queued, queued=queued)
    await engine.dispose()
    await long_queue(store, queued)


async def round_trips(store: SqlStore) -> None:
    """Submit, claim, complete, one after the other; and from submit to the worker's claim."""
    async with aclosing(store.wakeups()) as wakeups:
        await anext(wakeups)
        waits: list[float] = []
        began = time.perf_counter()
        for _ in range(300):
            submitted = time.perf_counter()
            await store.submit("me", REQUEST, max_queued=100)
            await anext(wakeups)
            (claim,) = await _claim(store, 1)
            waits.append(time.perf_counter() - submitted)
            await store.complete(claim.test_id, claim.attempt, DONE, [])
        rate = len(waits) / (time.perf_counter() - began)
    _print("submit until claimed", waits)
    print(f"{'whole tests, one after the other':44} {rate:8.0f} /s")


async def appends(store: SqlStore) -> None:
    """Batches of 64 KB, and from append until a follower was woken."""
    await store.submit("me", REQUEST, max_queued=100)
    (claim,) = await _claim(store, 1)
    batch = [LogEvent(stream="stdout", text="x" * 65_000)]
    frames = iter(range(1, 100_000))

    async def append() -> None:
        await store.append(claim.test_id, claim.attempt, batch, frame=next(frames))

    _print("append 64 KB", await _times(append, 300))
    async with aclosing(store.changes(claim.test_id)) as changes:
        await anext(changes)

        async def append_and_hear() -> None:
            await append()
            await anext(changes)

        _print("append 64 KB until a follower is woken", await _times(append_and_hear, 200))

    async def durable() -> None:
        lease = await store.adopt(claim.test_id, claim.attempt, "bench", lease_seconds=60)
        assert lease is not None

    async def lazy() -> None:
        await store.renew("bench", [(claim.test_id, 1)], lease_seconds=60, slots=1)

    _print("a small durable write (synced to disk)", await _times(durable, 300))
    _print("a small lazy write (survives the process)", await _times(lazy, 300))
    await store.complete(claim.test_id, claim.attempt, DONE, [])


async def pages(store: SqlStore, kept: int) -> None:
    """Any page of a long history: the first, the deepest, narrowed, searched."""
    owner = "hoarder"
    middle = await _cursor_at(store, owner, kept // 2)
    print(f"history of {kept:,} tests, pages of 50 (target: under 20 ms)")

    def page(**choice: Any) -> Callable[[], Awaitable[Any]]:
        return lambda: store.page(owner, **choice)

    choices = {
        "  first page": page(),
        "  a page in the middle": page(cursor=middle),
        "  failed ones (1 in 10)": page(outcome=Outcome.FAILED),
        "  an outcome that none has": page(outcome=Outcome.TIMED_OUT),
        "  a model that all have": page(model="default"),
        "  a model and an outcome": page(model="default", outcome=Outcome.TIMED_OUT),
        "  a model that none has": page(model="ollama:none"),
        "  search, many hits": page(text="times 7"),
        "  search, one hit": page(text=f"number {kept // 2}."),
        "  search, no hit": page(text="zebra"),
    }
    for name, call in choices.items():
        _print(name, await _times(call, 40))
    _print("state of the queue, with outcomes", await _times(store.state, 40))


async def long_queue(store: SqlStore, queued: int) -> None:
    """Claims of five, a test's place and new places with a long line."""
    print(f"queue of {queued:,} tests of {len(OWNERS)} users (claim target: under 10 ms)")

    async def claim() -> None:
        for each in await _claim(store, 5):
            held.append(each.test_id)

    held: list[str] = []
    _print("  claim 5", await _times(claim, 100))
    for test_id in held:
        await store.complete(test_id, 1, DONE, [])
    await _claim(store, 100, max_per_user=10)

    async def claim_at_cap() -> None:
        assert not await _claim(store, 5, max_per_user=10)

    _print("  claim 5, every user at the cap", await _times(claim_at_cap, 50))
    last = (await store.page(OWNERS[0], limit=1)).tests[0]
    _print(
        "  look at the last one in line", await _times(lambda: store.test(OWNERS[0], last.id), 50)
    )

    async def move() -> None:
        (first,) = await _claim(store, 1)
        began = time.perf_counter()
        await store.refresh_places()
        moves.append(time.perf_counter() - began)
        await store.complete(first.test_id, first.attempt, DONE, [])

    moves: list[float] = []
    await _times(move, 20)
    _print("  tell 100 tests their new place", moves)


async def _claim(store: SqlStore, count: int, *, max_per_user: int = 0) -> list[Any]:
    return list(
        await store.claim(
            "bench", lease_seconds=600, max_per_user=max_per_user, max_total=0, count=count
        )
    )


async def _cursor_at(store: SqlStore, owner: str, depth: int) -> str | None:
    cursor = None
    for _ in range(depth // 1000):
        cursor = (await store.page(owner, cursor=cursor, limit=1000)).next_cursor
    return cursor


async def _fill(engine: AsyncEngine, many: int, *, queued: int) -> None:
    """Write rows directly: what is measured is reading them."""
    began = datetime.now(UTC) - timedelta(days=30)
    for start in range(0, many, 5000):
        rows = [
            _row(number, began + timedelta(seconds=number), waits=bool(queued))
            for number in range(start, min(start + 5000, many))
        ]
        async with engine.execution_options(file_writes=FileWrites.LAZY).begin() as connection:
            await connection.execute(insert(tests), rows)
            ids = [row["id"] for row in rows]
            found = select(tests.c.seq).where(tests.c.id.in_(ids))
            seqs = (await connection.execute(found)).scalars().all()
            body = to_json(REQUEST)
            await connection.execute(
                insert(bodies), [{"test_seq": seq, "request": body} for seq in seqs]
            )


def _row(number: int, at: datetime, *, waits: bool) -> dict[str, Any]:
    test_id = new_test_id(at)
    query = f"What is 6 times 7? This is number {number}. " + "Some more words. " * 5
    outcome = None if waits else ("failed" if number % 10 == 0 else "succeeded")
    return {
        "id": test_id,
        "owner": OWNERS[number % len(OWNERS)] if waits else "hoarder",
        "query": query,
        "search": f"\n{query}\n{test_id}",
        "phase": "queued" if waits else "completed",
        "outcome": outcome,
        "attempt": 0 if waits else 1,
        "cancel_requested": False,
        "last_event": 1,
        "last_frame": 0,
        "created_at": at,
        "claimed_at": None if waits else at,
        "completed_at": None if waits else at + timedelta(seconds=5),
    }


async def _times(call: Callable[[], Awaitable[Any]], many: int) -> list[float]:
    times: list[float] = []
    for _ in range(many):
        began = time.perf_counter()
        await call()
        times.append(time.perf_counter() - began)
    return times


def _print(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    print(f"{name:44} {p50 * 1000:8.2f} ms p50 {p99 * 1000:8.2f} ms p99")


@asynccontextmanager
async def _opened(url: str) -> AsyncGenerator[SqlStore, None]:
    store = open_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


if __name__ == "__main__":
    asyncio.run(main())
