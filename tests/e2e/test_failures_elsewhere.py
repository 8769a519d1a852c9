"""Failures that are nobody's agent's: the platform's own, and what a user has taken away."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from seatrial.client import Client
from seatrial.domain.credentials import Credential
from seatrial.domain.events import LogEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Test
from tests.support import agents
from tests.support.leaking_engine import leaking_engine
from tests.support.serving import Serving

from .conftest import Provoked
from .test_crashes import containers
from .test_failures import ended, submitted

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def kill_each_attempt(client: Client, engine_url: str, test: Test, *, suffix: str = "") -> None:
    """Have the engine kill a container of each attempt once its agent has printed something."""
    attempt, runs = 0, False
    for event in client.events(test.id):
        if isinstance(event.data, PhaseEvent) and event.data.phase is Phase.RUNNING:
            attempt, runs = attempt + 1, True
        elif runs and isinstance(event.data, LogEvent):
            runs = False
            asyncio.run(_kill(engine_url, f"seatrial-{test.id}-{attempt}{suffix}"))


async def _kill(engine_url: str, container: str) -> None:
    connector = aiohttp.UnixConnector(engine_url.removeprefix("unix://"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(f"http://engine/v1.40/containers/{container}/kill") as answer,
    ):
        assert answer.status == 204, await answer.text()


@pytest.mark.spec("edge-3", "SC-006", "FR-013")
@pytest.mark.provokes("platform.worker_lost")
def test_a_container_that_dies_without_a_word_is_no_fault_of_the_agent(
    serving: Serving, engine_url: str, provoked: Provoked
) -> None:
    with serving.client() as client:
        test = submitted(client, agents.SLOW, query="600")
        kill_each_attempt(client, engine_url, test)
        done, events = ended(client, test)

    provoked(done, events)
    assert containers(engine_url, test.id) == []


@pytest.fixture(scope="module")
def narrow(docker_socket: str) -> Iterator[Serving]:
    """A server that runs one test at a time and reaches no registry."""
    settings = {"docker_host": docker_socket, "max_running": "1", "registry": "127.0.0.1:1"}
    process = Serving(settings).start()
    yield process
    process.close()


@pytest.mark.spec("FR-013", "FR-008")
@pytest.mark.provokes("user.secret_not_found")
def test_a_secret_that_is_removed_while_its_test_waits_is_named(
    narrow: Serving, provoked: Provoked
) -> None:
    with narrow.client() as client:
        client.set_credential("weather", Credential(provider="secret", value="canary-71c0"))
        first = submitted(client, agents.SLOW, query="600")
        test = submitted(client, agents.ECHO, secrets={"WEATHER": "weather"})
        client.delete_credential("weather")
        client.cancel(first.id)
        done, events = ended(client, test)

    provoked(done, events)
    assert done.failure is not None
    assert "WEATHER" in done.failure.message


@pytest.mark.spec("FR-013", "US4-6")
@pytest.mark.provokes("model.recording_missing")
def test_a_recording_that_is_removed_while_its_replay_waits_is_named(
    narrow: Serving, provoked: Provoked
) -> None:
    with narrow.client() as client:
        recorded = client.wait(submitted(client, agents.ECHO, record=True).id)
        first = submitted(client, agents.SLOW, query="600")
        test = client.retry(recorded.id, replay=True)
        client.delete(recorded.id)
        client.cancel(first.id)
        done, events = ended(client, test)

    provoked(done, events)


@pytest.mark.spec("edge-1", "FR-013")
@pytest.mark.provokes("platform.image_unavailable")
def test_a_python_that_no_registry_gives_is_the_platforms_fault(
    narrow: Serving, provoked: Provoked
) -> None:
    with narrow.client() as client:
        done, events = ended(client, submitted(client, agents.ECHO, python="3.12"))

    provoked(done, events)
    assert done.failure is not None
    assert "SEATRIAL_REGISTRY" in done.failure.what_to_do


@pytest.mark.spec("edge-1", "FR-013")
@pytest.mark.provokes("platform.internal")
def test_what_the_engine_refuses_has_an_incident_whose_trace_is_in_the_log(
    docker_socket: str, provoked: Provoked
) -> None:
    process = Serving({"docker_host": docker_socket, "container_runtime": "no-such-runtime"})
    try:
        with process.start().client() as client:
            done, events = ended(client, submitted(client, agents.ECHO))
        log = process.log
    finally:
        process.close()

    provoked(done, events)
    assert done.failure is not None
    assert "no-such-runtime" in done.failure.message
    assert done.failure.incident
    told = log[log.index(done.failure.incident) :]
    assert "Traceback" in told


@pytest.mark.spec("edge-1", "FR-011", "FR-013")
@pytest.mark.provokes("platform.not_isolated")
def test_nothing_runs_where_containers_have_the_hosts_network(
    docker_socket: str, provoked: Provoked, tmp_path: Path
) -> None:
    """An engine of its own accord keeps `--network none`: what is created is changed on its way."""
    with leaking_engine(docker_socket, tmp_path) as url:
        process = Serving({"docker_host": url, "door": "socket"})
        try:
            with process.start().client() as client:
                done, events = ended(client, submitted(client, agents.ECHO))
        finally:
            process.close()

    provoked(done, events)
    assert done.failure is not None
    assert "host ports" in done.failure.message


def _without_limits(order: dict[str, Any]) -> None:
    order["HostConfig"].update(Memory=0, MemorySwap=0, PidsLimit=0)


@pytest.mark.spec("edge-1", "FR-011", "FR-013")
@pytest.mark.provokes("platform.limits_not_enforced")
def test_nothing_runs_where_containers_have_no_limits(
    docker_socket: str, provoked: Provoked, tmp_path: Path
) -> None:
    with leaking_engine(docker_socket, tmp_path, _without_limits) as url:
        process = Serving({"docker_host": url, "door": "socket"})
        try:
            with process.start().client() as client:
                done, events = ended(client, submitted(client, agents.ECHO))
            _, findings = process.cli_json("doctor", "--json")
        finally:
            process.close()

    provoked(done, events)
    assert done.failure is not None
    assert "SEATRIAL_ALLOW_UNENFORCED_LIMITS" in done.failure.message
    [limits] = [finding for finding in findings if finding["name"] == "limits"]
    assert limits["state"] == "problem"
    assert limits["detail"] == "The container engine enforces no limit of processes, memory."
    assert limits["detail"] in done.failure.message


@pytest.mark.spec("FR-011")
def test_where_unenforced_limits_are_allowed_the_receipt_lists_them(
    docker_socket: str, tmp_path: Path
) -> None:
    allowed = {"door": "socket", "allow_unenforced_limits": "1"}
    with leaking_engine(docker_socket, tmp_path, _without_limits) as url:
        process = Serving({"docker_host": url, **allowed})
        try:
            with process.start().client() as client:
                done = client.wait(submitted(client, agents.ECHO).id)
            shown = process.cli("tests", "show", done.id).stdout
        finally:
            process.close()

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.receipt is not None
    assert done.receipt.unenforced == ("processes", "memory")
    assert "not enforced by the engine: processes, memory" in shown


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="the fake engine needs Linux and root"
)
@pytest.mark.spec("edge-1", "FR-013")
@pytest.mark.provokes("platform.no_capacity")
def test_an_engine_without_room_is_the_platforms_fault(provoked: Provoked) -> None:
    """The fake engine: to fill a real one's disk or memory would fill that of other tests."""
    full = {"SEATRIAL_FAKE_LAUNCH_ERROR": "no_capacity"}
    process = Serving({"engine": "fake"}, extra_environment=full)
    try:
        with process.start().client() as client:
            done, events = ended(client, submitted(client, agents.ECHO))
    finally:
        process.close()

    provoked(done, events)
