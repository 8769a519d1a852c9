"""The whole product where no socket of this machine is mounted: everything goes by relays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import aiohttp
import pytest

from seatrial.domain.events import CleanupEvent, LogEvent, ModelCallEvent
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.serving import Serving

from .conftest import MakeServing, Provoked
from .test_crashes import containers, until_gone, wait_for_text
from .test_failures import ended, submitted
from .test_failures_elsewhere import kill_each_attempt
from .test_main_job import FRANCE
from .test_receipts import PARTS

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def volumes(engine_url: str, test_id: str) -> list[str]:
    """Names of the volumes that carry the test's label, as the engine itself tells them."""

    async def ask() -> list[str]:
        connector = aiohttp.UnixConnector(engine_url.removeprefix("unix://"))
        wanted = {"filters": f'{{"label": ["seatrial={test_id}"]}}'}
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get("http://engine/v1.40/volumes", params=wanted) as answer,
        ):
            return [volume["Name"] for volume in (await answer.json())["Volumes"] or ()]

    return asyncio.run(ask())


def until_nothing_is_left(engine_url: str, test_id: str) -> None:
    """Neither of the two containers, nor their volume."""
    until_gone(engine_url, test_id)
    deadline = time.monotonic() + 30
    while volumes(engine_url, test_id):
        assert time.monotonic() < deadline, "a volume is left after 30 s"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def by_relay(engine_url: str) -> Iterator[Serving]:
    """A server of this file's own, shared by the tests that break nothing."""
    process = Serving({"docker_host": engine_url, "door": "relay"}).start()
    yield process
    process.close()


@pytest.mark.model
@pytest.mark.spec("US1-1", "FR-002", "FR-009", "FR-013")
def test_requirements_and_the_real_model_are_reached_through_relays(
    by_relay: Serving, engine_url: str
) -> None:
    with by_relay.client() as client:
        test = client.submit(
            files=agents.files(agents.OLLAMA),
            requirements="ollama>=0.5\n",
            query=FRANCE,
            model="testmodel",
        )
        done = client.wait(test.id)
        events = [event.data for event in client.events(test.id)]

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.result is not None
    assert "Paris" in done.result.response
    assert any(isinstance(event, ModelCallEvent) for event in events)
    [cleanup] = [event for event in events if isinstance(event, CleanupEvent)]
    assert set(cleanup.removed) == {*PARTS, "relay", "volume"}
    assert cleanup.left == ()
    assert containers(engine_url, test.id) == []
    assert volumes(engine_url, test.id) == []


@pytest.mark.spec("FR-011", "FR-009", "FR-004")
def test_of_two_tests_at_once_one_is_cancelled_and_the_other_goes_on(
    by_relay: Serving, engine_url: str
) -> None:
    with by_relay.client() as client:
        first = client.submit(files=agents.files(agents.SLOW), query="600", model="none")
        other = client.submit(files=agents.files(agents.SLOW), query="100", model="none")
        for test in (first, other):
            wait_for_text(client, test.id, "tick 2")
            assert len(containers(engine_url, test.id)) == 2
            assert volumes(engine_url, test.id) == [f"seatrial-{test.id}-1"]
        client.cancel(first.id)
        assert client.wait(first.id).outcome is Outcome.CANCELLED
        assert containers(engine_url, first.id) == volumes(engine_url, first.id) == []
        assert client.wait(other.id).outcome is Outcome.SUCCEEDED
    until_nothing_is_left(engine_url, other.id)


@pytest.mark.spec("edge-3", "edge-7", "FR-013")
@pytest.mark.provokes("platform.door_lost")
def test_a_relay_that_dies_is_no_fault_of_the_agent(
    by_relay: Serving, engine_url: str, provoked: Provoked
) -> None:
    with by_relay.client() as client:
        test = submitted(client, agents.SLOW, query="600")
        kill_each_attempt(client, engine_url, test, suffix="-relay")
        done, events = ended(client, test)

    provoked(done, events)
    until_nothing_is_left(engine_url, test.id)


@pytest.mark.spec("SC-006", "edge-3", "FR-009")
def test_a_killed_server_adopts_its_test_through_a_new_relay_and_stops_without_a_trace(
    make_serving: MakeServing, engine_url: str
) -> None:
    # A grace in which the second server starts, however busy the machine is.
    process = make_serving(door="relay", grace_seconds="60", lease_seconds="90")
    with process.client() as client:
        test = client.submit(files=agents.files(agents.SLOW), query="60", model="none")
        wait_for_text(client, test.id, "tick 5")
        before = set(containers(engine_url, test.id))
    process.kill()
    process.start()
    with process.client() as client:
        done = client.wait(test.id)
        events = list(client.events(test.id))
        assert done.outcome is Outcome.SUCCEEDED, done.failure
        assert done.attempt == 1
        text = "".join(event.data.text for event in events if isinstance(event.data, LogEvent))
        assert text == "".join(f"tick {tick}\n" for tick in range(60))
        assert len(before) == 2
        until_nothing_is_left(engine_url, test.id)

        last = client.submit(files=agents.files(agents.SLOW), query="600", model="none")
        wait_for_text(client, last.id, "tick 1")
    process.stop()
    assert containers(engine_url, last.id) == volumes(engine_url, last.id) == []
