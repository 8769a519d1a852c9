"""Cancelling ends a test promptly in every phase, and says so once."""

from __future__ import annotations

import time

import pytest

from seatrial.client import Client
from seatrial.domain.events import LogEvent, PhaseEvent, ResultEvent
from seatrial.domain.phases import Outcome, Phase
from tests.support import agents
from tests.support.busy import allowed
from tests.support.serving import Serving

from .conftest import MakeServing
from .test_crashes import containers, until_gone, wait_for_text

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.mark.spec("US4-5", "US3-5", "FR-011", "FR-009")
@pytest.mark.parametrize("source", [agents.SLOW, agents.STUBBORN])
def test_cancelling_a_running_test_removes_its_container(
    serving: Serving, engine_url: str, source: str
) -> None:
    with serving.client() as client:
        test = client.submit(files=agents.files(source), query="600", model="none")
        wait_for_text(client, test.id, "tick 2" if source is agents.SLOW else "not stopping")
        client.cancel(test.id)
        done = client.wait(test.id)
        again = client.cancel(test.id)
        events = list(client.events(test.id))

    assert done.outcome is Outcome.CANCELLED
    assert done.failure is None
    assert again == done
    until_gone(engine_url, test.id)
    assert any(isinstance(event.data, LogEvent) for event in events)
    ends = [e for e in events if isinstance(e.data, PhaseEvent) and e.data.outcome]
    assert len(ends) == 1
    assert ends[0] == events[-1]


LINGERING = """
import atexit, time

atexit.register(time.sleep, 0.5)

def run(query):
    return "done"
"""
SOURCES = {
    "starting": agents.SLOW,
    "running": agents.SLOW,
    "stubborn": agents.STUBBORN,
    "finishing": LINGERING,
}


def until(client: Client, test_id: str, stage: str) -> None:
    """Return as soon as the test is there."""
    for event in client.events(test_id):
        match stage, event.data:
            case "starting", PhaseEvent(phase=Phase.RUNNING):
                return
            case "running" | "stubborn", LogEvent():
                return
            case "finishing", ResultEvent():
                return
            case _:
                pass
    raise AssertionError(f"it was never {stage}")


@pytest.mark.spec("FR-011", "US4-5", "SC-009")
@pytest.mark.parametrize("stage", SOURCES)
def test_a_cancelled_test_is_gone_within_a_second(
    serving: Serving, engine_url: str, stage: str
) -> None:
    seconds: list[float] = []
    with serving.client() as client:
        for _ in range(3):
            test = client.submit(files=agents.files(SOURCES[stage]), query="600", model="none")
            until(client, test.id, stage)
            began = time.monotonic()
            client.cancel(test.id)
            done = client.wait(test.id)
            seconds.append(time.monotonic() - began)
            # Its end is told only when nothing of it is left.
            assert containers(engine_url, test.id) == []
            phases = [e.data for e in client.events(test.id) if isinstance(e.data, PhaseEvent)]
            assert [phase.outcome for phase in phases if phase.outcome] == [done.outcome]
            wanted = {Outcome.CANCELLED, *([Outcome.SUCCEEDED] if stage == "finishing" else [])}
            assert done.outcome in wanted
    assert min(seconds) < allowed(1.0), seconds


@pytest.mark.spec("FR-011", "US4-5")
def test_cancelling_while_the_environment_is_built_ends_the_build(
    serving: Serving, engine_url: str
) -> None:
    with serving.client() as client:
        test = client.submit(
            files=agents.files(agents.ECHO),
            query="x",
            model="none",
            requirements="boto3==1.40.0\n",
        )
        for event in client.events(test.id):
            if isinstance(event.data, LogEvent) and event.data.stream == "build":
                break
        client.cancel(test.id)
        done = client.wait(test.id)

    assert done.outcome is Outcome.CANCELLED
    until_gone(engine_url, test.id)


@pytest.mark.spec("FR-011", "US3-4", "FR-004")
def test_a_waiting_test_shows_its_place_and_is_cancelled_at_once(
    make_serving: MakeServing,
) -> None:
    process = make_serving(max_running="1")
    with process.client() as client:
        running = client.submit(files=agents.files(agents.SLOW), query="600", model="none")
        wait_for_text(client, running.id, "tick 1")
        second = client.submit(files=agents.files(agents.ECHO), query="x", model="none")
        third = client.submit(files=agents.files(agents.ECHO), query="x", model="none")
        place = client.test(third.id).queue
        assert place is not None
        assert place.position == 2
        assert place.wait.high_seconds >= place.wait.low_seconds >= 0
        assert place.reason

        assert client.cancel(second.id).outcome is Outcome.CANCELLED
        moved = client.test(third.id).queue
        assert moved is not None
        assert moved.position == 1
        assert client.test(third.id).phase is Phase.QUEUED
        client.cancel(running.id)
        assert client.wait(third.id).outcome is Outcome.SUCCEEDED
