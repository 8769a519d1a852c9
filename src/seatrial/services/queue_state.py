"""The state of the queue, with the wait of a test that would be submitted now."""

from __future__ import annotations

from dataclasses import replace

from seatrial.domain.estimates import wait_interval
from seatrial.domain.ports import Queue, QueueState
from seatrial.domain.tests import WaitInterval


async def queue_state(queue: Queue) -> QueueState:
    """Counts, slots and wait. With a free slot and nothing waiting, the wait is none."""
    state = await queue.state()
    if state.queued == 0 and state.running < state.slots:
        return replace(state, wait=WaitInterval(low_seconds=0.0, high_seconds=0.0))
    durations = await queue.recent_durations()
    return replace(state, wait=wait_interval(state.queued + 1, state.slots, durations))
