"""Trouble of the engine keeps tests waiting, or is the platform's fault: never the agent's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

import pytest
from tests.support import agents
from tests.support.fake_worker import rig

from seatrial.domain.events import CleanupEvent, LogEvent, PhaseEvent, QueueEvent
from seatrial.domain.phases import MAX_ATTEMPTS, Outcome, Phase
from seatrial.worker import engine_watch

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="the fake engine needs Linux and root"
    ),
]


@pytest.fixture
def set_fault(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Sets a variable of the fake engine, and ends the pauses of a full one soon."""
    monkeypatch.setattr(engine_watch, "_FIRST_PAUSE_SECONDS", 0.05)

    def set_variable(name: str, value: str) -> None:
        monkeypatch.setenv(f"SEATRIAL_FAKE_{name}", value)

    return set_variable


@pytest.mark.spec("edge-1", "FR-013")
async def test_while_an_engine_that_was_there_is_gone_tests_wait_and_say_so(
    set_fault: Callable[[str, str], None],
) -> None:
    async with rig() as here:
        before = await here.submit(agents.ECHO)
        assert (await here.ended(before)).outcome is Outcome.SUCCEEDED
        set_fault("AWAY", "1")
        test = await here.submit(agents.ECHO)
        await here.until(
            test, lambda data: isinstance(data, QueueEvent) and "does not answer" in data.reason
        )
        assert (await here.store.state()).slots == 0
        assert (await here.store.test("ada", test.id)).attempt == 0
        set_fault("AWAY", "")
        done = await here.ended(test)
        assert (done.outcome, done.attempt) == (Outcome.SUCCEEDED, 1)
        assert (await here.store.state()).slots == 4


@pytest.mark.spec("edge-1", "FR-013")
async def test_an_engine_that_stays_away_fails_its_tests_for_the_platform(
    set_fault: Callable[[str, str], None],
) -> None:
    async with rig(engine_wait_seconds=0.2) as here:
        assert (await here.ended(await here.submit(agents.ECHO))).outcome is Outcome.SUCCEEDED
        set_fault("AWAY", "1")
        done = await here.ended(await here.submit(agents.ECHO))
        set_fault("AWAY", "")
    assert done.failure is not None
    assert (done.failure.code, done.failure.whose) == ("platform.engine_unavailable", "platform")
    assert done.attempt == MAX_ATTEMPTS


@pytest.mark.spec("edge-1", "FR-013")
async def test_a_test_goes_on_while_the_engine_is_away_and_what_it_leaves_is_named(
    set_fault: Callable[[str, str], None],
) -> None:
    async with rig() as here:
        test = await here.submit(agents.SLOW, "10")
        await here.until(test, lambda data: isinstance(data, LogEvent))
        set_fault("AWAY", "1")
        done = await here.ended(test)
        events = await here.events(test)
        set_fault("AWAY", "")
    assert (done.outcome, done.attempt) == (Outcome.SUCCEEDED, 1)
    [receipt] = [event.data for event in events if isinstance(event.data, CleanupEvent)]
    assert set(receipt.left) == {"container", "tmpfs", "image_layer", "folder"}
    assert set(receipt.removed) == {"door_socket", "channel_socket", "credentials"}
    assert done.receipt is not None
    assert done.receipt.left == receipt.left


@pytest.mark.spec("edge-1", "FR-013")
@pytest.mark.parametrize("error", ["no_capacity", "image_unavailable"])
async def test_an_engine_that_is_full_for_a_while_costs_attempts_and_not_the_test(
    set_fault: Callable[[str, str], None], error: str
) -> None:
    set_fault("LAUNCH_ERROR", f"{error}:2")
    async with rig() as here:
        test = await here.submit(agents.ECHO)
        done = await here.ended(test)
        reasons = await here.reasons(test)
        assert await here.check_end(test) is Outcome.SUCCEEDED
    assert done.attempt == MAX_ATTEMPTS
    assert any("told to fail" in reason for reason in reasons), reasons


@pytest.mark.spec("edge-1", "FR-013")
@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"LAUNCH_ERROR": "no_capacity"}, "platform.no_capacity"),
        ({"LAUNCH_ERROR": "image_unavailable"}, "platform.image_unavailable"),
        ({"LAUNCH_ERROR": "engine_unavailable"}, "platform.engine_unavailable"),
        ({"LAUNCH_ERROR": "engine_refused"}, "platform.internal"),
        ({"DIE_AFTER_SECONDS": "1.0", "EXIT_CODE": "1"}, "platform.worker_lost"),
    ],
)
async def test_what_the_engine_does_wrong_is_tried_three_times_and_blamed_on_the_platform(
    set_fault: Callable[[str, str], None], faults: Mapping[str, str], code: str
) -> None:
    for name, value in faults.items():
        set_fault(name, value)
    async with rig() as here:
        test = await here.submit(agents.SLOW, "600")
        done = await here.ended(test)
        events = [event.data for event in await here.events(test)]
        assert await here.check_end(test) is Outcome.FAILED
    assert done.failure is not None
    assert (done.failure.code, done.failure.whose) == (code, "platform")
    begun = [e for e in events if isinstance(e, PhaseEvent) and e.phase is Phase.BUILDING]
    assert len(begun) == done.attempt == MAX_ATTEMPTS
    assert len([event for event in events if isinstance(event, CleanupEvent)]) == MAX_ATTEMPTS


@pytest.mark.spec("edge-1", "FR-013")
async def test_a_slow_engine_takes_nothing_off_the_time_of_the_agent(
    set_fault: Callable[[str, str], None],
) -> None:
    set_fault("DELAY_SECONDS", "3")
    async with rig() as here:
        test = await here.submit(agents.SLOW, "3", timeout_seconds=2)
        done = await here.ended(test)
    assert (done.outcome, done.attempt) == (Outcome.SUCCEEDED, 1), done.failure
    assert done.metrics is not None
    assert (done.metrics.durations.started or 0) >= 3
