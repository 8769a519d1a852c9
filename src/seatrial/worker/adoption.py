"""Finding out whether a former worker's container can be taken over."""

from __future__ import annotations

from seatrial.domain.events import Event
from seatrial.domain.ports import Environment, Store
from seatrial.domain.record import record_of
from seatrial.domain.tests import Claim
from seatrial.slots import Slots

from .assignment import slot_name
from .attempt import Adopted
from .completion import past_of

_BEGUN = 2
"""The frame that says that the agent has its work: before it there is nothing to adopt."""
_PAGE = 5000

_ALREADY_MOUNTED = Environment(key="", image="", python="python3", lock="")
"""An adopted container has its environment; nothing of it is looked at again."""


async def adopted_of(claim: Claim, store: Store, slots: Slots) -> Adopted | None:
    """What to go on with; None when the attempt has to start again.

    What is left of an attempt that can't be adopted is removed by whoever gives it up.
    """
    name = slot_name(claim)
    last_frame = await store.last_frame(claim.test_id, claim.attempt)
    adoptable = slots.folders(name).read_session() is not None and await slots.is_running(name)
    if last_frame < _BEGUN or not adoptable:
        return None
    events: list[Event] = []
    while page := await store.events(claim.owner, claim.test_id, after=len(events), limit=_PAGE):
        events += page
    return Adopted(record_of(events), last_frame, _ALREADY_MOUNTED, past_of(events))
