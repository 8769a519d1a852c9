"""The state of the queue, with the wait of a test that would be submitted now."""

from __future__ import annotations

from seatrial.domain.ports import Queue, QueueState


async def queue_state(queue: Queue) -> QueueState:
    """Counts, slots, the wait and how often past waits were as announced."""
    return await queue.state()
