"""What must hold after the faults, whatever they were. Each check gives what it found wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seatrial.client import AsyncClient
from seatrial.domain.events import Event, LogEvent, PhaseEvent
from seatrial.domain.phases import MAX_ATTEMPTS, Outcome, Phase
from seatrial.domain.tests import Test
from seatrial.engines.processes import children_of, command_of, processes_with
from seatrial.worker.worker import HANDED_OVER

from . import agents
from .plan import Kind, Planned
from .site import SLOTS, Site
from .story import Story

GONE_SECONDS = 90.0
"""The product's own limit is 30 s; a busy machine is given more."""
_FULL_SECONDS = 300.0
_ALLOWED: dict[Kind, Outcome] = {
    "counts": Outcome.SUCCEEDED,
    "asks": Outcome.SUCCEEDED,
    "installs": Outcome.SUCCEEDED,
    "raises": Outcome.FAILED,
    "overruns": Outcome.TIMED_OUT,
    "is cancelled": Outcome.CANCELLED,
}
"""How each test ends, unless the platform's faults were too many for it."""
_SETTLE_SECONDS = 0.25


async def all_tests(story: Story, planned: Sequence[Planned]) -> list[str]:
    """Every test has one end, a whole journal, and a failure that blames nobody wrongly."""
    wrong: list[str] = []
    ends = Counter[str]()
    for each in planned:
        test_id = story.tests[each.number]
        test, events = await story.test(test_id), await story.events(test_id)
        code = test.failure.code if test.failure else ""
        ends[f"{each.kind}: {test.outcome} {code} after {test.attempt}"] += 1
        wrong += [f"{test_id} ({each.kind}): {what}" for what in _of_test(each, test, events)]
    for end, many in sorted(ends.items()):
        story.say(f"{many:4} x {end}")
    ids = set(story.tests.values())
    if len(ids) != len(planned):
        wrong.append(f"{len(planned)} submissions gave {len(ids)} tests")
    return wrong


def _of_test(planned: Planned, test: Test, events: Sequence[Event]) -> Iterator[str]:
    numbers = [event.number for event in events]
    if numbers != list(range(1, len(events) + 1)) or test.last_event != len(events):
        yield f"its journal has a gap or a repeat: {numbers}, last {test.last_event}"
    phases = [event.data for event in events if isinstance(event.data, PhaseEvent)]
    yield from _of_phases(phases, test)
    yield from _of_outcome(planned, test)
    yield from _of_output(planned, test, events)


def _of_phases(phases: Sequence[PhaseEvent], test: Test) -> Iterator[str]:
    seen = [phase.phase for phase in phases]
    if seen.count(Phase.COMPLETED) != 1 or seen[-1] is not Phase.COMPLETED:
        yield f"it did not end exactly once: {seen}"
    if test.phase is not Phase.COMPLETED or phases[-1].outcome is not test.outcome:
        yield f"its record says {test.phase}, {test.outcome}; its journal {phases[-1].outcome}"
    attempts = [phase.attempt for phase in phases if phase.phase is Phase.BUILDING]
    handed_over = sum(phase.message == HANDED_OVER for phase in phases)
    most = MAX_ATTEMPTS + handed_over  # what a worker hands over at its own end is no fault
    if attempts != list(range(1, len(attempts) + 1)) or len(attempts) > most:
        yield f"its attempts are {attempts}"


def _of_outcome(planned: Planned, test: Test) -> Iterator[str]:
    if test.failure is not None and test.failure.whose == "platform":
        if test.failure.code == "platform.internal":
            yield f"a defect of our own: {test.failure.message}"
        return
    expected = _ALLOWED[planned.kind]
    raced = planned.kind == "is cancelled" and test.outcome is Outcome.SUCCEEDED
    if test.outcome is not expected and not raced:
        yield f"it should be {expected} but is {test.outcome}: {test.failure}"
    if planned.kind == "raises" and (
        test.failure is None or test.failure.code != "agent.exception"
    ):
        yield f"its own exception is not what it failed for: {test.failure}"
    if test.outcome is Outcome.SUCCEEDED:
        answer = test.result.response if test.result else None
        if answer != agents.response(planned):
            yield f"it answered {answer!r}"


def _of_output(planned: Planned, test: Test, events: Sequence[Event]) -> Iterator[str]:
    """Nothing lost in the middle, nothing twice, and all of it where the agent came to its end."""
    whole = agents.output(planned)
    for attempt, text in _attempts(events):
        if not whole.startswith(text):
            yield f"attempt {attempt} left {text!r}"
        elif test.outcome is Outcome.SUCCEEDED and attempt == test.attempt and text != whole:
            yield f"its output ends after {len(text)} of {len(whole)} characters"


def _attempts(events: Sequence[Event]) -> Iterator[tuple[int, str]]:
    """Standard output by attempt."""
    attempt, text = 0, ""
    for event in events:
        match event.data:
            case PhaseEvent(phase=Phase.BUILDING):
                yield attempt, text
                attempt, text = event.data.attempt, ""
            case LogEvent(stream="stdout"):
                text += event.data.text
            case _:
                pass
    yield attempt, text


async def capacity_is_back(story: Story) -> list[str]:
    """As many tests as there are slots run at one time, and end at once when they are told to."""
    async with story.site.client() as client:
        given: Any = {**agents.fields(Planned(-1, "overruns", 0)), "timeout_seconds": 300}
        held = [await client.submit(**given) for _ in range(SLOTS)]
        deadline = time.monotonic() + _FULL_SECONDS
        while (await _running(client, held)) < SLOTS:
            if time.monotonic() > deadline:
                state = await client.queue()
                return [f"only {state.running} of {SLOTS} slots came back: {state}"]
            await asyncio.sleep(_SETTLE_SECONDS)
        for test in held:
            await client.cancel(test.id)
        ends = [(await client.wait(test.id)).outcome for test in held]
        state = await client.queue()
    wrong = [f"a cancelled test is {end}" for end in ends if end is not Outcome.CANCELLED]
    if (state.queued, state.running, state.slots) != (0, 0, SLOTS):
        wrong.append(f"the queue still holds something: {state}")
    return wrong


async def _running(client: AsyncClient, tests: Sequence[Test]) -> int:
    phases = [(await client.test(test.id)).phase for test in tests]
    return phases.count(Phase.RUNNING)


async def nothing_is_left(site: Site) -> list[str]:
    """No container, volume, folder, socket or user id."""
    deadline = time.monotonic() + GONE_SECONDS
    while left := await _left(site):
        if time.monotonic() > deadline:
            return [f"left after {GONE_SECONDS:.0f} s: {what}" for what in left]
        await asyncio.sleep(_SETTLE_SECONDS)
    return []


async def _left(site: Site) -> list[str]:
    left = [f"container {each.name}" for each in await site.engine.containers()]
    left += [f"volume {name}" for name in await site.engine.volumes()]
    for folder in site.data_folders:
        slots = folder / "slots"
        left += [f"folder {each}" for each in slots.iterdir()] if slots.exists() else []
    left += [f"user id {name}" for worker in site.workers for name in _user_ids(worker.pid)]
    # A Docker that is killed while it starts or removes a container may forget the shim that it
    # began with. That is Docker's own; but nothing may run in one.
    for shim in processes_with(f"-address {site.engine.private.folder / 'run'}/"):
        left += [f"process {pid}: {command_of(pid)}" for pid in children_of(shim)]
    return left


def _user_ids(pid: int) -> list[str]:
    """The user ids that a process holds, by the names of its sockets."""
    names = {
        fields[6]: fields[7]
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]
        if len(fields := line.split()) == 8 and "seatrial-uid-" in fields[7]
    }
    held: list[str] = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inode = os.readlink(descriptor).removeprefix("socket:[").removesuffix("]")
            if inode in names:
                held.append(names[inode])
    return held
