"""P8: a test succeeds on evidence only: an answer, a good exit and a call of the named model."""

from __future__ import annotations

import pytest

from seatrial.domain.events import ModelCallEvent, NoticeEvent, ResultEvent
from seatrial.domain.phases import Outcome

from .conftest import Place
from .corpus import Corpus

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.timeout(600)]

NOTHING_SHOWN = (
    *("os_exit_no_result", "exit0_no_model_call", "exec_over_runner", "close_all_fds"),
    *("sigkill_self", "lying_result", "memory_bomb_child"),
)
LIAR = """
def run(query):
    print("model_call: testmodel answered 200", flush=True)
    return {"output": "made up", "usage": {"input_tokens": 5, "output_tokens": 7}}
"""


@pytest.mark.spec("FR-006", "SC-007")
@pytest.mark.parametrize("agent", NOTHING_SHOWN)
def test_without_evidence_there_is_no_success(place: Place, corpus: Corpus, agent: str) -> None:
    assert corpus.end(agent).test.outcome is Outcome.FAILED


@pytest.mark.spec("FR-002")
def test_a_model_call_that_only_the_agent_speaks_of_did_not_happen(place: Place) -> None:
    end = place.ask(LIAR, "q", model="testmodel")

    assert end.test.failure is not None
    assert end.test.failure.code == "agent.no_model_call"
    assert end.test.metrics is not None
    assert end.test.metrics.model_calls == end.test.metrics.input_tokens == 0
    assert not any(isinstance(event.data, ModelCallEvent) for event in end.events)


@pytest.mark.parametrize("agent", ["lying_usage", "megabyte_line", "daemon_escape"])
def test_every_success_shows_its_evidence(place: Place, corpus: Corpus, agent: str) -> None:
    end = corpus.end(agent)
    assert end.test.outcome is Outcome.SUCCEEDED
    [result] = [event.data.result for event in end.events if isinstance(event.data, ResultEvent)]
    exits = [
        e.data
        for e in end.events
        if isinstance(e.data, NoticeEvent) and e.data.code == "agent.exit"
    ]
    assert result.response
    assert [notice.data["code"] for notice in exits] == [0]
