"""What a container claims becomes events that can be stored, whatever is in them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.loop_lag import responsive_loop

from seatrial.domain.events import (
    EVENT_DATA,
    LogEvent,
    MetricEvent,
    NoticeEvent,
    ResponseEvent,
    ResultEvent,
    as_json,
)
from seatrial.domain.ports import ResolvedModel
from seatrial.domain.record import AgentError, AgentExit, AttemptRecord
from seatrial.domain.requests import ModelRef
from seatrial.domain.tests import Result
from seatrial.harness.protocol import (
    Begun,
    Entry,
    ErrorFrame,
    Exit,
    FileFrame,
    Frame,
    Heartbeat,
    Log,
    Metric,
    NoticeFrame,
    Ready,
    Response,
    ResultFrame,
    ResultPart,
    encode,
    harness_decoder,
)
from seatrial.worker.completion import result_of
from seatrial.worker.frames import events_of, value_of

MODEL = ResolvedModel(ModelRef(provider="ollama", name="m"), (), named_by_request=True)
HOSTILE = [
    "",
    "\x00",
    "\x1b]0;owned\x07\x1b[2J",
    "%s %(password)s {0.__class__}",
    "</script><script>alert(1)</script>",
    "\u202e\u2066\ufeff\uffff",
    "\U0001f600" * 1000,
    "x" * 500_000,
    "\r\n" * 1000,
    "../../etc/passwd",
    "__import__('os')",
]


def result(frame: ResultFrame) -> Result:
    return result_of(frame, AttemptRecord(entry_point="agent.py:run", framework="f"), MODEL)


def answer(value_json: str | None = None, **changes: Any) -> ResultFrame:
    said: dict[str, Any] = {"response": "r", "usage": {}, "too_large_bytes": None, **changes}
    return ResultFrame(value_json=value_json, **said)


def exited(**changes: Any) -> Exit:
    plain: dict[str, Any] = dict.fromkeys([field.name for field in fields(Exit)], 0)
    plain |= {
        "reason": "exited",
        "disk_full": False,
        "message": "",
        "full": "",
        "full_folder": "",
        **changes,
    }
    return Exit(**plain)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text_and_comes_back_as_it_was(text: str) -> None:
    frames: list[Frame] = [
        Log("stdout", text),
        Response(text),
        Entry(text, text, text),
        answer(response=text),
        ErrorFrame("call", text, text, text, text, 1, text),
        NoticeFrame(text, text),
    ]
    for frame in frames:
        [event] = events_of(frame, result)
        stored = json.dumps(as_json(event), allow_nan=False)
        assert EVENT_DATA.validate_json(stored) == event


def test_plain_frames_become_the_events_of_the_same_content() -> None:
    assert events_of(Log("stderr", "a\n"), result) == [LogEvent(stream="stderr", text="a\n")]
    assert events_of(Response("piece"), result) == [ResponseEvent(text="piece")]
    assert events_of(Metric(1, 2, 0.5, 3), result) == [
        MetricEvent(memory_bytes=1, memory_peak_bytes=2, cpu_seconds=0.5, processes=3)
    ]
    assert events_of(answer(usage={"tokens": 3}), result) == [
        ResultEvent(
            result=Result(
                response="r",
                entry_point="agent.py:run",
                framework="f",
                framework_usage={"tokens": 3},
                model="ollama:m",
            )
        )
    ]


@pytest.mark.parametrize(
    "frame",
    [
        Ready("3.11", "x86_64"),
        Begun(7),
        Heartbeat(),
        FileFrame("a", 0, "", True),
        ResultPart("response", "x"),
    ],
)
def test_frames_of_no_interest_to_a_reader_become_nothing(frame: Frame) -> None:
    assert events_of(frame, result) == []


@pytest.mark.parametrize("code", ["agent.exit", "agent.error", "agent.entry", "x"])
def test_a_containers_notice_cannot_pass_for_one_that_decides(code: str) -> None:
    [event] = events_of(NoticeFrame(code, "m"), result)
    assert isinstance(event, NoticeEvent)
    assert event.code == f"harness.{code}"
    assert AttemptRecord().with_event(1, event) == AttemptRecord()


def test_a_response_that_is_too_large_is_no_result() -> None:
    [event] = events_of(answer(too_large_bytes=5_000_000), result)
    assert AttemptRecord().with_event(1, event) == AttemptRecord(
        too_large_bytes=5_000_000, too_large_event=1
    )


def test_exit_and_error_are_found_again_in_the_record() -> None:
    exit_ = exited(code=None, signal=9, reason="deadline", wall_seconds=1.25, oom_kills=2)
    error = ErrorFrame("load", "T", "m", "trace", "agent.py", 3, "yaml")
    record = AttemptRecord()
    for number, frame in enumerate([error, exit_], start=1):
        [event] = events_of(frame, result)
        record = record.with_event(number, EVENT_DATA.validate_python(as_json(event)))
    assert record.error == AgentError("load", "T", "m", "agent.py", 3, "yaml")
    assert record.exit == AgentExit(None, 9, "deadline", 1.25, memory_limit_bytes=0, oom_kills=2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("null", None),
        ('{"a": [1, 2.5, "x", true, null]}', {"a": [1, 2.5, "x", True, None]}),
        ('"\\u0000"', "\x00"),
        ("-0.0", 0.0),
        ("[" * 100 + "]" * 100, json.loads("[" * 100 + "]" * 100)),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_a_structured_value_is_parsed_as_plain_json(text: str | None, value: object) -> None:
    assert value_of(answer(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "-Infinity",
        '{"a": [Infinity]}',
        "1e999",
        "[-1e999]",
        '"\\ud800"',
        '{"\\udfff": 1}',
        "[" * 102 + "]" * 102,
        "[" * 300_000,
        "[" * 100_000 + "]" * 100_000,
        "9" * 5000,
        "",
        "{",
        "{'a': 1}",
        "__import__('os')",
    ],
    ids=lambda text: str(text)[:20],
)
def test_a_value_that_no_reader_could_be_given_is_left_out(text: str) -> None:
    assert value_of(answer(text)) is None


@pytest.mark.spec("FR-013")
@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=10,
    ).map(json.dumps)
)
def test_whatever_value_is_claimed_its_event_is_json(text: str) -> None:
    [event] = events_of(answer(text), result)
    stored = json.dumps(as_json(event), allow_nan=False)
    assert EVENT_DATA.validate_json(stored.encode()) == event


@given(st.builds(Log, st.sampled_from(["stdout", "stderr"]), st.text()))
def test_a_log_frame_keeps_its_text_from_wire_to_event(frame: Log) -> None:
    [(_, decoded)] = harness_decoder().feed(encode(frame, 1))
    assert events_of(decoded, result) == [LogEvent(stream=frame.stream, text=frame.text)]


@pytest.mark.parametrize("part", ["[],", "{},", '"",', "1,", '"\\\\",'])
async def test_a_value_of_very_many_parts_does_not_hold_the_loop(part: str) -> None:
    text = "[" + part * (16_000_000 // len(part)) + "1]"
    async with responsive_loop():
        assert value_of(ResultFrame("r", text, {}, None)) is None


def test_a_large_value_of_few_parts_is_kept() -> None:
    text = json.dumps(["x,[{" * 100_000, list(range(50_000))])
    assert value_of(ResultFrame("r", text, {}, None)) == json.loads(text)
