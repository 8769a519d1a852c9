"""A cancellation reaches an attempt wherever it is, and races nothing into two ends."""

from __future__ import annotations

import asyncio
import os
import random
import sys

import pytest
from tests.support import agents
from tests.support.fake_worker import OWNER, Rig, rig

from seatrial.domain.events import CleanupEvent, LogEvent, PhaseEvent, ResultEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Test

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="the fake engine needs Linux and root"
    ),
]

RACES = 16
SEED = 20261126


async def ended_after(here: Rig, test: Test, pause: float) -> Outcome:
    """Cancelled that long after it began to run, wherever it is then."""
    await here.until(
        test, lambda data: isinstance(data, PhaseEvent) and data.phase is not Phase.QUEUED
    )
    await asyncio.sleep(pause)
    await here.store.cancel(OWNER, test.id)
    await here.ended(test)
    return await here.check_end(test)


@pytest.mark.spec("FR-011", "US4-5")
async def test_a_cancellation_that_races_the_end_gives_one_outcome() -> None:
    chance = random.Random(SEED)
    async with rig() as here:
        warm = await here.submit(agents.ECHO)
        began = asyncio.get_running_loop().time()
        await here.ended(warm)
        usual = asyncio.get_running_loop().time() - began
        tests = [await here.submit(agents.ECHO, str(number)) for number in range(RACES)]
        pauses = [chance.uniform(0, 1.5 * usual) for _ in tests]
        races = [ended_after(here, *race) for race in zip(tests, pauses, strict=True)]
        outcomes = await asyncio.gather(*races)
    assert set(outcomes) <= {Outcome.SUCCEEDED, Outcome.CANCELLED}


@pytest.mark.spec("FR-011", "US4-5")
async def test_a_cancellation_while_the_engine_takes_its_time_ends_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEATRIAL_FAKE_DELAY_SECONDS", "600")
    async with rig() as here:
        test = await here.submit(agents.ECHO)
        await here.until(
            test, lambda data: isinstance(data, PhaseEvent) and data.phase is Phase.RUNNING
        )
        await here.store.cancel(OWNER, test.id)
        done = await here.ended(test)
        assert await here.check_end(test) is Outcome.CANCELLED
    assert done.failure is None


@pytest.mark.spec("FR-011", "US4-5")
async def test_a_cancelled_agent_is_asked_first_and_keeps_what_it_said() -> None:
    async with rig() as here:
        test = await here.submit(ASKED)
        await here.until(test, lambda data: isinstance(data, LogEvent) and "begun" in data.text)
        await here.store.cancel(OWNER, test.id)
        await here.ended(test)
        data = [event.data for event in await here.events(test)]
        assert await here.check_end(test) is Outcome.CANCELLED
    said = "".join(event.text for event in data if isinstance(event, LogEvent))
    assert said == "begun\nasked to end\n"


@pytest.mark.spec("FR-011", "US4-5")
async def test_a_cancellation_after_the_answer_lets_the_answer_stand() -> None:
    async with rig() as here:
        test = await here.submit(LINGERING)
        await here.until(test, lambda data: isinstance(data, ResultEvent))
        await here.store.cancel(OWNER, test.id)
        await here.ended(test)
        assert await here.check_end(test) in {Outcome.SUCCEEDED, Outcome.CANCELLED}


@pytest.mark.spec("FR-011", "FR-009")
async def test_a_test_that_never_ran_says_that_nothing_was_left() -> None:
    async with rig(max_per_user=1) as here:
        running = await here.submit(agents.SLOW, "600")
        await here.until(running, lambda data: isinstance(data, LogEvent))
        waiting = await here.submit(agents.ECHO)
        await here.store.cancel(OWNER, waiting.id)
        assert await here.check_end(waiting) is Outcome.CANCELLED
        events = await here.events(waiting)
        await here.store.cancel(OWNER, running.id)
        await here.ended(running)
    assert events[-2].data == CleanupEvent(attempt=0, removed={})


ASKED = """
import signal, sys, time

def leave(*_):
    print("asked to end", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, leave)

def run(query):
    print("begun", flush=True)
    time.sleep(600)
"""

LINGERING = """
import atexit, time

atexit.register(time.sleep, 0.3)

def run(query):
    return "done"
"""
