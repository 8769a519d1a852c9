"""The record of an attempt is what its journal adds up to, however it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.domain.door_limits import DoorUse
from seatrial.domain.events import (
    CleanupEvent,
    Event,
    EventData,
    LogEvent,
    MetricEvent,
    ModelCallEvent,
    NoticeEvent,
    PhaseEvent,
    QueueEvent,
    ResponseEvent,
    ResultEvent,
)
from seatrial.domain.phases import Phase
from seatrial.domain.record import (
    ENTRY,
    ERROR,
    EXIT,
    HOST_REFUSED,
    HOST_USED,
    TOO_LARGE,
    AgentError,
    AgentExit,
    AttemptRecord,
    RefusedHost,
    UsedUp,
    record_of,
)
from seatrial.domain.recordings import DIFFERS
from seatrial.domain.tests import Result

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXITED = AgentExit(1, None, "exited", wall_seconds=1.5, oom_kills=1)
FAILED = AgentError("call", "ValueError", "no soup", "agent.py", 4)


def journal(data: Sequence[EventData], first: int = 1) -> list[Event]:
    return [Event(number=number, at=NOW, data=one) for number, one in enumerate(data, first)]


def notice(named: str, /, **data: object) -> NoticeEvent:
    return NoticeEvent(code=named, message="m", data=data)


ENTERED = notice(ENTRY, entry_point="agent.py:run", framework="strands", how="name")
EXIT_NOTICE = notice(EXIT, **asdict(EXITED))
ERROR_NOTICE = notice(ERROR, **asdict(FAILED))

texts = st.text(max_size=40)
streams = st.sampled_from(["stdout", "stderr", "build", "system"])
events = st.one_of(
    st.builds(
        LogEvent, stream=st.sampled_from(["stdout", "stderr", "build", "system"]), text=texts
    ),
    st.builds(ResponseEvent, text=texts),
    st.builds(MetricEvent, **dict.fromkeys(MetricEvent.model_fields.keys() - {"kind"}, st.just(1))),
    st.builds(ModelCallEvent, provider=texts, model=texts, latency_seconds=st.just(0.5)),
    st.builds(ResultEvent, result=st.builds(Result, response=texts)),
    st.sampled_from([ENTERED, EXIT_NOTICE, ERROR_NOTICE, notice(TOO_LARGE, bytes=9)]),
    st.sampled_from([notice("harness.backpressure"), notice("model.fallback", odd=1)]),
    st.sampled_from([PhaseEvent(phase=Phase.RUNNING), QueueEvent(position=1)]),
    st.sampled_from([CleanupEvent(attempt=1, removed={})]),
)
attempts = st.lists(events, max_size=12)


@given(attempts, attempts)
def test_reading_a_journal_again_gives_what_was_known_as_it_grew(
    before: list[EventData], after: list[EventData]
) -> None:
    grown = AttemptRecord()
    for event in journal([*before, *after]):
        grown = grown.with_event(event.number, event.data, event.at)
    assert record_of(journal([*before, *after])) == grown


@given(attempts, attempts)
def test_a_former_attempt_leaves_no_trace_in_the_record(
    former: list[EventData], latest: list[EventData]
) -> None:
    again = PhaseEvent(phase=Phase.BUILDING, attempt=2)
    whole = record_of(journal([*former, again, *latest]))
    assert whole == record_of(journal(latest, first=len(former) + 2))


def test_every_part_is_found_with_the_number_of_the_event_that_proves_it() -> None:
    call = ModelCallEvent(provider="ollama", model="m", status=200, latency_seconds=0.1)
    sample = MetricEvent(memory_bytes=1, memory_peak_bytes=2, cpu_seconds=0.1, processes=1)
    record = record_of(
        journal(
            [
                PhaseEvent(phase=Phase.BUILDING, attempt=1),
                ENTERED,
                LogEvent(stream="stdout", text="one\ntwo\n"),
                LogEvent(stream="stderr", text="oh\n"),
                call,
                sample,
                LogEvent(stream="stdout", text="three\n\n"),
                ResultEvent(result=Result(response="x")),
                ERROR_NOTICE,
                EXIT_NOTICE,
            ]
        )
    )
    assert record == AttemptRecord(
        entry_point="agent.py:run",
        framework="strands",
        result=Result(response="x"),
        error=FAILED,
        error_event=9,
        exit=EXITED,
        exit_event=10,
        exit_at=NOW,
        calls=(call,),
        last_call_event=5,
        last_call_at=NOW,
        last_metric=sample,
        last_log_event=7,
        last_log_line="three",
        last_stderr_event=4,
        last_stderr_line="oh",
    )


def test_what_went_through_the_door_is_the_sum_of_what_was_sent_there() -> None:
    call = ModelCallEvent(provider="ollama", model="m", latency_seconds=0.1, sent_bytes=5)
    answered = call.model_copy(update={"received_bytes": 7, "input_tokens": 3, "output_tokens": 2})
    refused = call.model_copy(update={"sent_bytes": 0, "error": "model.not_allowed"})
    used = notice(HOST_USED, host="a.example", port=443, bytes=100)
    record = record_of(journal([call, answered, refused, used, notice(HOST_USED)]))
    assert record.door_use == DoorUse(calls=2, tokens=5, bytes=5 + 12 + 100)


def test_refused_hosts_and_the_first_limit_that_was_reached_are_kept() -> None:
    told = {"host": "a.example", "port": 443}
    record = record_of(
        journal(
            [
                notice(HOST_REFUSED, **told, add_egress="a.example:443"),
                notice(HOST_REFUSED, **told),
                notice(HOST_REFUSED),
                notice("limit.traffic", used=9, allowed=8),
                notice("limit.model_calls", used=1, allowed=1),
            ]
        )
    )
    assert record.refused_hosts == (
        RefusedHost("a.example", "m", 1, "a.example:443", 443),
        RefusedHost("a.example", "m", 2, port=443),
    )
    assert record.used_up == UsedUp("limit.traffic", "m", 9, 4)


def test_the_first_call_that_differs_from_a_recording_is_the_one_that_counts() -> None:
    first = NoticeEvent(code=DIFFERS, message="the cause")
    record = record_of(journal([first, NoticeEvent(code=DIFFERS, message="what came of it")]))
    assert (record.replay_difference, record.replay_difference_event) == ("the cause", 1)


@pytest.mark.parametrize("stream", ["build", "system"])
def test_only_the_agents_own_output_is_evidence_of_what_it_did(stream: str) -> None:
    event = LogEvent.model_validate({"stream": stream, "text": "installed six"})
    record = AttemptRecord().with_event(1, event)
    assert replace(record, build_tail=()) == AttemptRecord()


def test_blank_output_does_not_replace_the_last_line() -> None:
    record = AttemptRecord().with_event(1, LogEvent(stream="stdout", text="the line\n"))
    assert record.with_event(2, LogEvent(stream="stderr", text=" \n\n")) == record


def test_of_a_line_without_an_end_only_the_last_characters_are_kept() -> None:
    text = "first\n" + "x" * 100_000 + "end"
    record = AttemptRecord().with_event(1, LogEvent(stream="stdout", text=text))
    assert record.last_log_line == "x" * 497 + "end"


@pytest.mark.parametrize("code", ["harness.agent.exit", "harness.agent.error", "agent.unheard"])
def test_a_notice_of_another_name_decides_nothing(code: str) -> None:
    assert AttemptRecord().with_event(1, notice(code, code=0)) == AttemptRecord()
