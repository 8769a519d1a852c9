"""The state of the queue, with the wait of a test that would be submitted now."""

from __future__ import annotations

from seatrial.domain.ports import Queue, QueueState


async def queue_state(queue: Queue, owner: str | None = None) -> QueueState:
    """Counts, slots, the wait and how often past waits were as announced.

    With an `owner`, the counts are those of that user's tests alone.
    """
    return await queue.state(owner)
