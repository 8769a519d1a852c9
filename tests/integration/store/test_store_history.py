"""The history: its pages, its search, and removing from it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.support.databases import OTHER, OWNER, Clock, SqliteFiles, a_request

from seatrial.domain.errors import Conflict, InvalidRequest, NotFound
from seatrial.domain.events import LogEvent
from seatrial.domain.failures import failure
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Completion
from seatrial.store import SqlStore


async def _ended(store: SqlStore, outcome: Outcome = Outcome.SUCCEEDED, **request: str) -> str:
    """The id of a completed test."""
    test = await store.submit(OWNER, a_request(**request), max_queued=999)
    await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
    why = failure("limit.timeout") if outcome is Outcome.TIMED_OUT else None
    await store.complete(test.id, 1, Completion(outcome=outcome, failure=why), [])
    return test.id


async def _pages(store: SqlStore, **choice: object) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor = None
    while True:
        page = await store.page(OWNER, cursor=cursor, **choice)  # pyright: ignore[reportArgumentType] - the choice is the test's
        pages.append([test.id for test in page.tests])
        cursor = page.next_cursor
        if cursor is None:
            return pages


@pytest.mark.spec("US3-3")
async def test_the_history_is_newest_first_and_whole(store: SqlStore, clock: Clock):
    ids: list[str] = []
    for _ in range(7):
        ids.append((await store.submit(OWNER, a_request(), max_queued=99)).id)
        clock.forward(1)
    await store.submit(OTHER, a_request(), max_queued=99)

    newest_first = ids[::-1]
    assert await _pages(store, limit=3) == [newest_first[:3], newest_first[3:6], newest_first[6:]]
    assert await _pages(store, limit=7) == [newest_first]


async def test_tests_of_the_same_moment_are_each_shown_once(store: SqlStore):
    ids = {(await store.submit(OWNER, a_request(), max_queued=99)).id for _ in range(9)}

    pages = await _pages(store, limit=2)

    assert sorted(each for page in pages for each in page) == sorted(ids)


async def test_a_page_is_stable_while_new_tests_come_in(store: SqlStore, clock: Clock):
    old = [(await store.submit(OWNER, a_request(), max_queued=99)).id for _ in range(4)]
    first = await store.page(OWNER, limit=2)
    clock.forward(1)
    await store.submit(OWNER, a_request(), max_queued=99)

    second = await store.page(OWNER, limit=2, cursor=first.next_cursor)

    assert sorted(t.id for t in first.tests + second.tests) == sorted(old)


async def test_a_line_of_the_history_tells_how_the_test_ended(store: SqlStore, clock: Clock):
    test_id = await _ended(store, Outcome.TIMED_OUT, query="slow", name="snail")

    (line,) = (await store.page(OWNER)).tests

    assert (line.id, line.query, line.name, line.phase) == (
        test_id,
        "slow",
        "snail",
        Phase.COMPLETED,
    )
    assert (line.outcome, line.failure_code) == (Outcome.TIMED_OUT, "limit.timeout")
    assert line.completed_at == clock.now


async def test_the_history_can_be_narrowed_to_an_outcome(store: SqlStore):
    failed = await _ended(store, Outcome.FAILED)
    await _ended(store, Outcome.SUCCEEDED)

    assert await _pages(store, outcome=Outcome.FAILED) == [[failed]]
    assert await _pages(store, outcome=Outcome.CANCELLED) == [[]]


@pytest.mark.spec("US3-3")
async def test_the_history_can_be_narrowed_to_a_model(store: SqlStore):
    async def submitted(model: str | None) -> str:
        request = a_request().model_copy(update={"model": model})
        return (await store.submit(OWNER, request, max_queued=99)).id

    first, both = await submitted("ollama:a"), await submitted("ollama:a,openai:b")
    await submitted("ollama:ab")
    without, default = await submitted("none"), await submitted(None)
    many = ",".join(f"openai:{number}{'ü' * 290}" for number in range(8))
    long = await submitted(many)
    await store.cancel(OWNER, first)

    for model, ids in (
        ("ollama:a", [first, both]),
        ("openai:b", []),
        ("none", [without]),
        ("default", [default]),
        (many.split(",", maxsplit=1)[0], [long]),
    ):
        (found,) = await _pages(store, model=model)
        assert sorted(found) == sorted(ids), model
    assert await _pages(store, model="ollama:a", outcome=Outcome.CANCELLED) == [[first]]
    assert len(await _pages(store, model="ollama:a", limit=1)) == 2


@pytest.mark.parametrize("text", ["weather", "WEATHER", "straße", "STRASSE", "100%", "a_b", "ünï"])
async def test_the_search_finds_name_and_query_in_any_letter_case(store: SqlStore, text: str):
    by_query = await _ended(store, query="The Weather in the Straße, 100% of a_b: ÜNÏcode")
    by_name = await _ended(store, query="x", name="The Weather in the Straße, 100% of a_b: ÜNÏcode")
    await _ended(store, query="100 of axb")

    (found,) = await _pages(store, text=text)

    assert sorted(found) == sorted([by_query, by_name])


async def test_the_search_finds_a_test_by_its_id(store: SqlStore):
    wanted = await _ended(store)
    await _ended(store)

    assert await _pages(store, text=wanted[3:]) == [[wanted]]
    assert await _pages(store, text="\0") == [[]]


@pytest.mark.parametrize("cursor", ["", "x", "!!", "eyJ9", "bnVsbA", "\ud800", "é" * 9])
async def test_a_cursor_that_no_page_gave_is_refused(store: SqlStore, cursor: str):
    with pytest.raises(InvalidRequest):
        await store.page(OWNER, cursor=cursor)


async def test_an_unfinished_test_is_not_deleted(store: SqlStore):
    queued = await store.submit(OWNER, a_request(), max_queued=9)
    await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
    waiting = await store.submit(OWNER, a_request(), max_queued=9)

    for test_id in (queued.id, waiting.id):
        with pytest.raises(Conflict):
            await store.delete(OWNER, test_id)
        assert await store.events(OWNER, test_id)


async def test_a_deleted_test_is_gone_with_its_journal_and_its_key(store: SqlStore):
    test = await store.submit(OWNER, a_request(), max_queued=9, idempotency_key="k")
    await store.cancel(OWNER, test.id)

    await store.delete(OWNER, test.id)

    with pytest.raises(NotFound):
        await store.test(OWNER, test.id)
    with pytest.raises(NotFound):
        await store.events(OWNER, test.id)
    with pytest.raises(NotFound):
        await store.delete(OWNER, test.id)
    again = await store.submit(OWNER, a_request(), max_queued=9, idempotency_key="k")
    assert again.id != test.id
    assert [e.number for e in await store.events(OWNER, again.id)] == [1, 2]


@pytest.mark.spec("US3-6")
async def test_clearing_removes_the_owners_completed_tests_only(store: SqlStore):
    for _ in range(3):
        await _ended(store)
    unfinished = await store.submit(OWNER, a_request(), max_queued=9)
    others = await store.submit(OTHER, a_request(), max_queued=9)
    await store.cancel(OTHER, others.id)

    assert await store.clear(OWNER) == 3
    assert await store.clear(OWNER) == 0
    assert await _pages(store) == [[unfinished.id]]
    assert (await store.test(OTHER, others.id)).outcome is Outcome.CANCELLED


async def test_clearing_goes_by_when_a_test_was_created(store: SqlStore, clock: Clock):
    await _ended(store)
    clock.forward(10)
    middle = clock.now
    kept = await _ended(store)

    assert await store.clear(OWNER, before=middle) == 1
    assert await _pages(store) == [[kept]]


async def test_retention_goes_by_when_anybodys_test_was_completed(store: SqlStore, clock: Clock):
    old = await store.submit(OTHER, a_request(), max_queued=9)
    await store.cancel(OTHER, old.id)
    late = await store.submit(OWNER, a_request(), max_queued=9)
    clock.forward(10)
    await store.cancel(OWNER, late.id)
    waiting = await store.submit(OWNER, a_request(), max_queued=9)
    await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)

    assert await store.remove_older(clock.now) == 1
    with pytest.raises(NotFound):
        await store.test(OTHER, old.id)
    clock.forward(1)
    assert await store.remove_older(clock.now) == 1
    assert await _pages(store) == [[waiting.id]]


async def test_more_tests_than_one_batch_are_removed(store: SqlStore):
    for _ in range(450):
        test = await store.submit(OWNER, a_request(), max_queued=999)
        await store.cancel(OWNER, test.id)

    assert await store.clear(OWNER) == 450
    assert await _pages(store) == [[]]


async def test_two_that_clear_at_once_remove_each_test_once(store: SqlStore):
    for _ in range(30):
        test = await store.submit(OWNER, a_request(), max_queued=999)
        await store.cancel(OWNER, test.id)

    removed = await asyncio.gather(store.clear(OWNER), store.clear(OWNER))

    assert sum(removed) == 30


async def test_sqlite_gives_the_disk_back_when_tests_are_removed(sqlite_files: SqliteFiles):
    from seatrial.store import open_store

    url = sqlite_files.migrated()
    path = Path(str(make_url(url).database))
    store = open_store(url)
    await store.open()
    try:
        test = await store.submit(OWNER, a_request(), max_queued=9)
        await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
        big = LogEvent(stream="stdout", text="x" * 60_000)
        for _ in range(20):
            await store.append(test.id, 1, [big] * 5)
        await store.complete(test.id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
        wal = path.with_name(path.name + "-wal")
        before = path.stat().st_size + wal.stat().st_size

        await store.delete(OWNER, test.id)

        assert before > 6_000_000
        assert path.stat().st_size + wal.stat().st_size < 300_000
    finally:
        await store.aclose()
