"""Read a test's journal: a page of it, or all of it as it grows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from seatrial.domain.events import Event, EventPage, is_final
from seatrial.domain.phases import Phase
from seatrial.domain.ports import Store

from .read_test import checked_id

# A log event holds up to 64 KB: a batch bounds what one slow reader keeps in memory.
BATCH = 100
MAX_PAGE = 1000
MAX_PAGE_BYTES = 4 * 1024 * 1024
"""What a page holds before it ends: writing more at once would hold up everybody."""


async def is_read_whole(store: Store, owner: str, test_id: str, after: int) -> bool:
    """Whether no event numbered above `after` exists or ever will. NotFound."""
    test = await store.test(owner, checked_id(test_id))
    return test.phase is Phase.COMPLETED and test.last_event <= after


async def read_page(
    store: Store, owner: str, test_id: str, *, after: int = 0, limit: int = MAX_PAGE
) -> EventPage:
    """Events numbered above `after`, up to `limit` or about 4 MiB, in order. NotFound."""
    checked, limit = checked_id(test_id), max(1, min(limit, MAX_PAGE))
    events: list[Event] = []
    room = MAX_PAGE_BYTES
    while len(events) < limit and room > 0:
        asked = min(BATCH, limit - len(events))
        last = events[-1].number if events else after
        batch = await store.events(owner, checked, after=last, limit=asked)
        for event in batch:
            if room > 0:
                events.append(event)
                room -= len(event.model_dump_json())
        if len(batch) < asked:
            break
    if events:
        return EventPage(events=tuple(events), complete=is_final(events[-1]))
    return EventPage(events=(), complete=await is_read_whole(store, owner, test_id, after))


async def follow(
    store: Store, owner: str, test_id: str, *, after: int = 0
) -> AsyncGenerator[Sequence[Event], None]:
    """Every event numbered above `after`, once and in order, until the journal's last.

    Yields batches that are not empty, as large as they have grown meanwhile (at most `BATCH`).
    Reads on only when the consumer asks: a slow one costs a batch and no more. NotFound at
    the start, or later when the test is deleted.
    """
    async with aclosing(store.changes(checked_id(test_id))) as changes:
        checked = False
        async for _ in changes:
            # A batch that is not full was all there was: what came since has rung again.
            full = True
            while full:
                batch = await store.events(owner, test_id, after=after, limit=BATCH)
                full = len(batch) == BATCH
                if batch:
                    yield batch
                    after = batch[-1].number
                    if is_final(batch[-1]):
                        return
            # Whoever starts behind the last event of a completed test would wait for ever.
            # Asked once: any event that is written from here on is announced by a change.
            if not checked and await is_read_whole(store, owner, test_id, after):
                return
            checked = True
