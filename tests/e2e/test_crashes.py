"""kill -9 of the server's process: nothing is lost, nothing doubled, nothing left running."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from seatrial.client import Client
from seatrial.domain.events import LogEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from tests.support import agents
from tests.support.serving import Serving

from .conftest import MakeServing

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def ask_engine(engine_url: str, path: str, **params: str) -> Any:
    """What the engine itself answers."""

    async def ask() -> Any:
        connector = aiohttp.UnixConnector(engine_url.removeprefix("unix://"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://engine/v1.40/{path}", params=params) as answer,
        ):
            return await answer.json()

    return asyncio.run(ask())


def containers(engine_url: str, test_id: str, *, running: bool = False) -> list[str]:
    """Ids of the containers that carry the test's label, as the engine itself tells them."""
    label = json.dumps({"label": [f"seatrial={test_id}"]})
    listed = ask_engine(engine_url, "containers/json", all=str(int(not running)), filters=label)
    return [container["Id"] for container in listed]


def wait_for_text(client: Client, test_id: str, text: str) -> None:
    """Return as soon as the agent has printed the text."""
    for event in client.events(test_id):
        if isinstance(event.data, LogEvent) and text in event.data.text:
            return
    raise AssertionError(f"{text!r} was never printed")


def until_gone(engine_url: str, test_id: str) -> None:
    deadline = time.monotonic() + 30
    while containers(engine_url, test_id):
        assert time.monotonic() < deadline, "a container is left after 30 s"
        time.sleep(0.2)


@pytest.mark.spec("SC-006", "edge-3")
def test_a_running_test_goes_on_in_its_container_when_its_worker_is_replaced(
    make_serving: MakeServing, engine_url: str
) -> None:
    # A busy machine may need long for the second start: the container has to wait for it.
    process = make_serving(grace_seconds="60", lease_seconds="90")
    with process.client() as client:
        test = client.submit(files=agents.files(agents.SLOW), query="60", model="none")
        wait_for_text(client, test.id, "tick 5")
        [container] = containers(engine_url, test.id)
    process.kill()
    process.start()
    with process.client() as client:
        assert set(containers(engine_url, test.id)) <= {container}
        done = client.wait(test.id)
        events = list(client.events(test.id))

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.attempt == 1, [e.data.message for e in events if isinstance(e.data, PhaseEvent)]
    assert done.metrics is not None
    steps = done.metrics.durations
    assert steps.running is not None
    assert steps.running >= 6
    assert steps.total is not None
    assert steps.total >= steps.running
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    text = "".join(event.data.text for event in events if isinstance(event.data, LogEvent))
    assert text == "".join(f"tick {tick}\n" for tick in range(60))
    until_gone(engine_url, test.id)


@pytest.mark.spec("SC-006", "FR-004")
def test_tests_that_wait_survive_a_killed_server(
    make_serving: MakeServing, engine_url: str
) -> None:
    process = make_serving(max_running="1")
    with process.client() as client:
        first = client.submit(files=agents.files(agents.SLOW), query="30", model="none")
        waiting = [
            client.submit(files=agents.files(agents.ECHO), query=str(n), model="none")
            for n in range(3)
        ]
        wait_for_text(client, first.id, "tick 1")
    process.kill()
    process.start()
    with process.client() as client:
        done = [client.wait(test.id) for test in (first, *waiting)]

    assert [test.outcome for test in done] == [Outcome.SUCCEEDED] * 4
    started = [test.started_at for test in done if test.started_at is not None]
    assert started == sorted(started)
    until_gone(engine_url, first.id)


@pytest.mark.spec("SC-006", "edge-3")
def test_a_test_that_was_building_is_built_again_and_ends_once(
    make_serving: MakeServing, engine_url: str
) -> None:
    process = make_serving()
    with process.client() as client:
        test = client.submit(
            files=agents.files(agents.ECHO), query="x", model="none", requirements="six==1.16.0\n"
        )
        for event in client.events(test.id):
            if isinstance(event.data, LogEvent) and event.data.stream == "build":
                break
    process.kill()
    process.start()
    with process.client() as client:
        done = client.wait(test.id)
        phases = [e.data for e in client.events(test.id) if isinstance(e.data, PhaseEvent)]

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.attempt == 2
    assert [phase.phase for phase in phases].count(Phase.COMPLETED) == 1
    until_gone(engine_url, test.id)


@pytest.mark.spec("SC-006", "FR-009", "SC-009")
def test_a_container_without_a_worker_ends_by_itself_and_the_test_runs_again(
    make_serving: MakeServing, engine_url: str
) -> None:
    process = make_serving(grace_seconds="3")
    with process.client() as client:
        test = client.submit(files=agents.files(agents.SLOW), query="80", model="none")
        wait_for_text(client, test.id, "tick 3")
    process.kill()
    deadline = time.monotonic() + 33
    while containers(engine_url, test.id, running=True):
        assert time.monotonic() < deadline, "the container outlived its worker"
        time.sleep(0.2)
    process.start()
    with process.client() as client:
        done = client.wait(test.id)

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.attempt == 2
    until_gone(engine_url, test.id)


@pytest.mark.spec("FR-009", "edge-3")
def test_a_stopped_server_hands_its_tests_back_and_leaves_nothing_running(
    make_serving: MakeServing, engine_url: str
) -> None:
    process: Serving = make_serving(cleanup_seconds="30")
    with process.client() as client:
        test = client.submit(files=agents.files(agents.SLOW), query="40", model="none")
        wait_for_text(client, test.id, "tick 1")
    assert process.stop() == 0
    assert containers(engine_url, test.id) == []
    process.start()
    with process.client() as client:
        done = client.wait(test.id)

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.attempt == 2
