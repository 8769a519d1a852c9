"""A process killed in the middle of its writes takes nothing with it that was acknowledged."""

from __future__ import annotations

import asyncio
import sys

import pytest
from tests.support.databases import OWNER, Databases, a_request

from seatrial.domain.events import LogEvent, PhaseEvent
from seatrial.store import open_store

APPEND_FOREVER = """
import asyncio, sys
from seatrial.domain.events import LogEvent
from seatrial.store import open_store

async def main():
    url, test_id = sys.argv[1:]
    store = open_store(url)
    await store.open()
    frame = 0
    while True:
        frame += 1
        lines = [LogEvent(stream="stdout", text=f"{frame}.{part}") for part in range(3)]
        await store.append(test_id, 1, lines, frame=frame)
        print(frame, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged_before_the_kill", [1, 40, 111])
async def test_after_a_kill_the_journal_holds_all_that_was_acknowledged(
    databases: Databases, acknowledged_before_the_kill: int
):
    url = databases.migrated()
    store = open_store(url)
    await store.open()
    try:
        test = await store.submit(OWNER, a_request(), max_queued=9)
        await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", APPEND_FOREVER, url, test.id, stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        async for line in writer.stdout:
            if int(line) >= acknowledged_before_the_kill:
                break
        writer.kill()
        seen = [int(line) for line in (await writer.communicate())[0].split()]
        acknowledged = max([acknowledged_before_the_kill, *seen])

        events = await store.events(OWNER, test.id, limit=100_000)
        frame = await store.last_frame(test.id, 1)
        assert frame >= acknowledged
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        expected = [f"{n}.{part}" for n in range(1, frame + 1) for part in range(3)]
        assert [e.data.text for e in events if isinstance(e.data, LogEvent)] == expected
        # And the next writer goes on where the killed one stopped.
        await store.requeue(test.id, 1, reason="its worker was killed")
        last = (await store.events(OWNER, test.id, after=len(events)))[-1]
        assert isinstance(last.data, PhaseEvent)
    finally:
        await store.aclose()
