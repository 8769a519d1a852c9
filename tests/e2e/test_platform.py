"""Trouble of the platform or of the model service is never the agent's fault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from seatrial.domain.events import PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.testmodel import TestModelProcess
from tests.support import agents
from tests.support.serving import Serving

from .conftest import Provoked

pytestmark = [pytest.mark.timeout(200)]


@pytest.fixture
def without_engine() -> Iterator[Serving]:
    process = Serving({"docker_host": "unix:///nowhere/engine.sock"}).start()
    yield process
    process.close()


@pytest.mark.spec("edge-1", "FR-013", "SC-001")
@pytest.mark.provokes("platform.engine_unavailable")
def test_without_an_engine_the_test_fails_for_the_platform_and_is_kept(
    without_engine: Serving, provoked: Provoked
) -> None:
    with without_engine.client() as client:
        test = client.submit(files=agents.files(agents.ECHO), query="x", model="none")
        done = client.wait(test.id)
        events = list(client.events(test.id))

    provoked(done, events)
    phases = [event.data for event in events if isinstance(event.data, PhaseEvent)]
    assert [phase.phase for phase in phases].count(Phase.QUEUED) == 3


@pytest.mark.spec("edge-1")
def test_run_ends_with_the_code_of_a_platform_fault(without_engine: Serving) -> None:
    agent = without_engine.data_dir / "agent.py"
    agent.write_text(agents.ECHO)
    done = without_engine.cli("run", str(agent), "x", "--model", "none")

    assert done.returncode == 3
    assert "engine" in done.stdout + done.stderr


@pytest.fixture
def with_ollama(engine_url: str) -> Iterator[Serving]:
    """A server whose Ollama is the built-in model's server, reached as any Ollama is."""
    loop = asyncio.new_event_loop()
    model = TestModelProcess()
    url = loop.run_until_complete(model.start())
    process = Serving({"docker_host": engine_url, "ollama_url": url}).start()
    yield process
    process.close()
    loop.run_until_complete(model.stop())
    loop.close()


@pytest.mark.engine
@pytest.mark.model
@pytest.mark.spec("US1-3", "FR-002")
def test_an_ollama_is_used_by_name_and_a_model_that_is_not_pulled_is_named(
    with_ollama: Serving,
) -> None:
    with with_ollama.client() as client:
        found = client.wait(
            client.submit(
                files=agents.files(agents.ASK),
                query="Name the capital of France.",
                model="ollama:smollm2:135m",
            ).id
        )
        missing = client.wait(
            client.submit(files=agents.files(agents.ASK), query="x", model="ollama:llama3.2").id
        )

    assert found.outcome is Outcome.SUCCEEDED, found.failure
    assert missing.failure is not None
    assert missing.failure.code == "model.not_found"
    assert "ollama pull llama3.2" in missing.failure.what_to_do
