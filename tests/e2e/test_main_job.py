"""A real agent in a real container against a real model, through HTTP and the typed client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from seatrial.domain.events import (
    CleanupEvent,
    Event,
    LogEvent,
    MetricEvent,
    ModelCallEvent,
    PhaseEvent,
    ResultEvent,
)
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import Limits, TestRequest
from tests.support import agents
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.timeout(300)]

FRANCE = "Name the capital of France."


@pytest.mark.spec("US1-1", "US1-2", "US1-3", "US1-6", "FR-001", "FR-002", "FR-012", "SC-001")
def test_an_agent_gets_its_answer_from_the_real_model(serving: Serving) -> None:
    with serving.client() as client:
        test = client.submit(files=agents.files(agents.ASK), query=FRANCE, model="testmodel")
        done = client.wait(test.id)

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.result is not None
    assert "Paris" in done.result.response
    assert done.result.exit_code == 0
    assert done.metrics is not None
    assert done.metrics.model_calls == 1
    assert done.metrics.input_tokens > 0
    assert done.metrics.output_tokens > 0
    assert done.metrics.wall_seconds
    assert done.metrics.cpu_seconds
    assert done.metrics.memory_peak_bytes
    assert done.metrics.memory_limit_bytes == 512 * 2**20
    assert done.metrics.processes_peak


def test_the_queue_says_what_runs_the_tests(serving: Serving) -> None:
    with serving.client() as client:
        client.wait(client.submit(files=agents.files(agents.ECHO), query="x", model="none").id)
        [worker] = client.queue().workers
    assert worker.engine.partition(" ")[0] in {"Docker", "Podman"}
    assert (worker.slots > 0, worker.trouble) == (True, "")


@pytest.mark.spec("US1-2", "FR-013")
def test_requirements_are_installed_for_the_agent(serving: Serving) -> None:
    request = TestRequest(
        files=agents.files(agents.OLLAMA),
        requirements="ollama>=0.5\nsix\n",  # no other test's, which would be installed already
        query=FRANCE,
        model="testmodel",
    )
    with serving.client() as client:
        first = client.wait(client.submit(request).id)
        second = client.wait(client.submit(request).id)
        logs = [e.data.text for e in client.events(first.id) if isinstance(e.data, LogEvent)]

    for done in (first, second):
        assert done.outcome is Outcome.SUCCEEDED, done.failure
        assert done.result is not None
        assert "Paris" in done.result.response
    assert first.environment
    assert first.environment == second.environment
    assert second.metrics is not None
    assert second.metrics.durations.built == 0
    assert any("ollama" in text for text in logs)


@pytest.mark.spec("US3-1", "US3-2", "US3-6", "FR-003", "FR-009", "FR-010", "SC-002")
def test_the_journal_tells_everything_in_order_and_each_phase_within_two_seconds(
    serving: Serving,
) -> None:
    events: list[Event] = []
    with serving.client() as client:
        test = client.submit(files=agents.files(agents.ASK), query=FRANCE, model="testmodel")
        opened = datetime.now(UTC)
        for event in client.events(test.id):
            events.append(event)
            late = datetime.now(UTC) - max(event.at, opened)
            assert not isinstance(event.data, PhaseEvent) or late < timedelta(seconds=2)
        again = list(client.events(test.id, follow=False))

    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert again == events
    phases = [event.data.phase for event in events if isinstance(event.data, PhaseEvent)]
    assert phases == [Phase.QUEUED, Phase.BUILDING, Phase.RUNNING, Phase.COMPLETED]
    kinds = {type(event.data) for event in events}
    assert {LogEvent, MetricEvent, ModelCallEvent, ResultEvent, CleanupEvent} <= kinds
    [cleanup] = [event.data for event in events if isinstance(event.data, CleanupEvent)]
    assert "container" in cleanup.removed
    assert cleanup.left == ()


@pytest.mark.spec("US1-5", "US3-1", "edge-8")
def test_a_stream_resumes_after_any_event_without_gap_or_repeat(serving: Serving) -> None:
    with serving.client() as client:
        test = client.submit(files=agents.files(agents.SLOW), query="12", model="none")
        half: list[int] = []
        for event in client.events(test.id):
            half.append(event.number)
            if len(half) == 8:
                break
        rest = [event.number for event in client.events(test.id, after=half[-1])]
        done = client.test(test.id)

    numbers = half + rest
    assert numbers == list(range(1, len(numbers) + 1))
    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.last_event == numbers[-1]


@pytest.mark.spec("US4-1", "US4-2", "FR-006")
def test_a_retry_with_another_query_leaves_the_old_test_as_it_was(serving: Serving) -> None:
    with serving.client() as client:
        old = client.wait(
            client.submit(files=agents.files(agents.ECHO), query="one", model="none").id
        )
        new = client.wait(client.retry(old.id, query="two").id)
        same = client.wait(client.retry(old.id).id)
        untouched = client.test(old.id)

    assert new.retry_of == old.id
    assert new.result is not None
    assert new.result.response == "echo: two"
    assert same.request == old.request
    assert same.outcome is Outcome.SUCCEEDED
    assert untouched == old


@pytest.mark.spec("US4-3", "US4-4", "US4-6", "FR-010")
def test_history_is_listed_searched_and_cleared_without_touching_running_tests(
    serving: Serving,
) -> None:
    with serving.client() as client:
        named = client.wait(
            client.submit(
                files=agents.files(agents.ECHO), query="a needle", model="none", name="haystack"
            ).id
        )
        running = client.submit(files=agents.files(agents.SLOW), query="60", model="none")
        page = client.tests(text="haystack")
        assert [found.id for found in page.tests] == [named.id]
        newest = client.tests(limit=2).tests
        assert [found.id for found in newest] == [running.id, named.id]

        assert client.clear() >= 1
        assert [found.id for found in client.tests().tests] == [running.id]
        assert client.wait(running.id).outcome is Outcome.SUCCEEDED


@pytest.mark.spec("FR-002")
def test_an_omitted_model_falls_back_to_the_test_model_and_says_so(serving: Serving) -> None:
    with serving.client() as client:
        done = client.wait(client.submit(files=agents.files(agents.ASK), query=FRANCE).id)

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.result is not None
    assert done.result.model_fallback
    assert done.result.model == "testmodel:smollm2:135m"


@pytest.mark.spec("FR-012")
def test_limits_of_the_request_reach_the_container(serving: Serving) -> None:
    with serving.client() as client:
        test = client.submit(
            files=agents.files(agents.ECHO),
            query="x",
            model="none",
            limits=Limits(memory_mb=96),
        )
        done = client.wait(test.id)

    assert done.metrics is not None
    assert done.metrics.memory_limit_bytes == 96 * 2**20
