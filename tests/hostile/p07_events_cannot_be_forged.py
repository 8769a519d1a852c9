"""P7: events can be neither forged nor suppressed without it being seen."""

from __future__ import annotations

import os
import signal

import pytest

from seatrial.domain.events import FailureEvent, LogEvent, PhaseEvent, ResultEvent
from seatrial.domain.phases import Outcome

from .conftest import Place
from .corpus import Corpus

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

FORGERS = ("forge_events", "lying_result", "lying_usage", "bad_value", "terminal_exception")
SLOW = """
import time
def run(query):
    print("started", flush=True)
    time.sleep(3)
    return "done"
"""


@pytest.mark.spec("FR-006")
@pytest.mark.parametrize("agent", FORGERS)
def test_what_is_forged_is_at_most_output(place: Place, corpus: Corpus, agent: str) -> None:
    end = corpus.end(agent)
    for event in end.events:
        if isinstance(event.data, FailureEvent):
            assert event.data.failure == end.test.failure
        elif isinstance(event.data, PhaseEvent):
            assert "forged" not in event.data.message.lower()
        elif isinstance(event.data, ResultEvent):
            assert "FORGED" not in event.data.result.response
        elif not isinstance(event.data, LogEvent):
            assert "FORGED" not in event.data.model_dump_json()
    results = [event for event in end.events if isinstance(event.data, ResultEvent)]
    assert len(results) == (agent == "lying_usage")
    assert end.test.attempt == 1
    assert end.test.failure is None or end.test.failure.whose == "agent"


@pytest.mark.spec("edge-3", "FR-009")
def test_a_run_whose_supervisor_was_killed_is_never_a_success(place: Place) -> None:
    with place.serving.client() as client:
        test = client.submit(files={"agent.py": SLOW}, query="q", model="none")
        for event in client.events(test.id):
            if isinstance(event.data, LogEvent) and "started" in event.data.text:
                break
        [container] = place.host.containers(test.id)
        os.kill(place.host.process_1(container["Id"]), signal.SIGKILL)
        done = client.wait(test.id)

    assert done.attempt == 2, "the first attempt was lost and is told as such, not believed"
    assert done.outcome is Outcome.SUCCEEDED
