"""Which calls ask the same, what is told of those that do not, and who answers what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.domain.recordings import RecordedAnswer, RecordedCall, Replay
from seatrial.gateway.replay.differences import differences, told
from seatrial.gateway.replay.forms import Form, make_form
from seatrial.gateway.replay.matching import Matcher, Mismatch

START = datetime(2030, 1, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def form(body: Any = None, **parts: Any) -> Form:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given_parts: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/messages",
        "query": "",
        "headers": (),
        **parts,
    }
    return make_form("anthropic", "messages", body=raw, **given_parts)


def turned(value: Any) -> Any:
    """The same JSON with its names in another order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(list(value))}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [turned(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


@given(JSON)
def test_the_order_of_names_means_nothing(value: Any) -> None:
    one, other = form(value), form(turned(value))
    assert one.key == other.key
    assert differences(one, other) == []


@given(JSON, JSON)
def test_calls_differ_exactly_when_a_difference_can_be_told(one: Any, other: Any) -> None:
    first, second = form(one), form(other)
    assert (first.key == second.key) == (differences(first, second) == [])


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bodies_of_any_bytes_can_be_compared(one: bytes, other: bytes) -> None:
    found = differences(form(one), form(other))
    assert len(told(found)) < 2000
    assert (found == []) == (form(one).key == form(other).key)


def conversation(ids: tuple[str, str], results: tuple[str, str]) -> dict[str, Any]:
    calls = [{"id": one, "type": "function", "function": {"name": "f"}} for one in ids]
    answers = [{"role": "tool", "tool_call_id": one, "content": one[0]} for one in results]
    return {"messages": [{"role": "assistant", "tool_calls": calls}, *answers]}


def test_ids_that_frameworks_make_up_mean_nothing_but_what_belongs_to_what_does() -> None:
    recorded = form(conversation(("a1", "b1"), ("a1", "b1")))
    assert form(conversation(("a9", "b9"), ("a9", "b9"))).key == recorded.key
    crossed = conversation(("a9", "b9"), ("b9", "a9"))
    crossed["messages"][1]["content"], crossed["messages"][2]["content"] = "a", "b"
    assert form(crossed).key != recorded.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"temperature": 1}, {"temperature": 1.0}),
        ({"user": "a", "x": 1}, {"user": "b", "x": 1}),
        ({"prompt_cache_key": "a"}, {}),
        ({"metadata": {"user_id": "a"}}, {"metadata": {"user_id": "b"}}),
        (
            {"input": [{"type": "function_call", "id": "fc_1", "call_id": "c"}]},
            {"input": [{"type": "function_call", "id": "fc_2", "call_id": "d"}]},
        ),
        ({"content": [{"toolUseId": "a"}]}, {"content": [{"toolUseId": "b"}]}),
    ],
)
def test_what_means_nothing_to_the_model_is_left_out(one: Any, other: Any) -> None:
    assert form(one).key == form(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"temperature": 1}, {"temperature": 1.5}),
        ({"stream": True}, {"stream": 1}),
        ({"messages": ["a", "b"]}, {"messages": ["b", "a"]}),
        ({"today": "2026-01-01"}, {"today": "2026-01-02"}),
        ({"messages": [{"metadata": 1}]}, {"messages": [{"metadata": 2}]}),
        ({"input": {"id": "a", "type": "x"}}, {"input": {"id": "b", "type": "x"}}),
        ({"id": "a"}, {"id": "b"}),
    ],
)
def test_what_the_model_is_asked_is_compared(one: Any, other: Any) -> None:
    assert form(one).key != form(other).key


def test_paths_are_read_as_services_read_them_and_headers_of_meaning_count() -> None:
    assert form(path="/model/a%3A0/x").key == form(path="/model/a:0/x").key
    assert form(query="a=1&b=2").key == form(query="b=2&a=1").key
    sdk = (("User-Agent", "one"), ("x-stainless-retry-count", "2"), ("Authorization", "dummy"))
    assert form(headers=sdk).key == form().key
    beta = form(headers=(("Anthropic-Beta", "tools"),))
    assert str(differences(form(), beta)[0]) == (
        'headers[0]: not recorded, now ["anthropic-beta", "tools"]'
    )


def test_a_difference_is_short_and_shows_where_texts_part() -> None:
    prompt = "You are a helpful assistant. " * 30
    before = {"messages": [{"role": "user", "content": f"{prompt}Paris{prompt}"}], "n": 1}
    after = {"messages": [{"role": "user", "content": f"{prompt}Rome{prompt}"}, {"x": "\x1b[2J"}]}
    found = differences(form(before), form(after))
    assert [one.field for one in found] == ["messages[0].content", "messages[1]", "n"]
    assert "Paris" in (found[0].before or "")
    assert "Rome" in (found[0].after or "")
    assert str(found[2]) == "n: recorded 1, now absent"
    assert len(told(found)) < 500
    assert "\x1b" not in told(found)


def test_many_differences_are_counted() -> None:
    found = differences(form(list(range(20))), form(list(range(100, 120))))
    assert told(found).endswith("; and 15 more")


def a_call(number: int, at: float, text: str, seconds: float = 0.5, **facts: Any) -> RecordedCall:
    return RecordedCall(
        number=number,
        provider="anthropic",
        operation=facts.get("operation", "messages"),
        counted=facts.get("counted", True),
        model="m",
        method="POST",
        path="/v1/messages",
        query="",
        headers=(),
        body=json.dumps({"text": text, "n": 1}).encode(),
        answer=RecordedAnswer(200),
        started_at=START + timedelta(seconds=at),
        seconds=seconds,
    )


def asked(text: str) -> Form:
    return form({"text": text, "n": 1})


def answered(matcher: Matcher, *texts: str) -> list[int | None]:
    found = [matcher.match(asked(text)) for text in texts]
    return [None if isinstance(one, Mismatch) else one.number for one in found]


def test_the_same_question_gets_its_answers_in_order_and_no_more() -> None:
    calls = (a_call(1, 0, "a"), a_call(2, 1, "b"), a_call(3, 2, "a"))
    matcher = Matcher(Replay(calls))
    assert answered(matcher, "a", "b", "a", "a") == [1, 2, 3, None]
    assert matcher.unused() == ()
    assert matcher.out_of_order() == ()


def test_a_differing_call_is_compared_with_the_next_one_and_those_in_flight_with_it() -> None:
    calls = (a_call(1, 0, "a"), a_call(2, 1, "b", 5), a_call(3, 2, "carrots"), a_call(4, 9, "d"))
    matcher = Matcher(Replay(calls))
    matcher.match(asked("a"))
    found = matcher.match(form({"text": "carrots", "n": 2}))
    assert isinstance(found, Mismatch)
    assert found.nearest == calls[2]
    assert [one.field for one in found.differences] == ["n"]
    # It came in the place of that call, which is not told as missing besides.
    assert [call.number for call in matcher.unused()] == [2, 4]
    assert answered(matcher, "b", "d") == [2, 4]


def test_metadata_may_be_asked_more_and_less_often_than_it_was() -> None:
    calls = (a_call(1, 0, "a", counted=False), a_call(2, 1, "b"), a_call(3, 2, "c", counted=False))
    matcher = Matcher(Replay(calls))
    assert answered(matcher, "a", "a", "b", "a") == [1, 1, 2, 1]
    assert matcher.unused() == ()
    assert matcher.out_of_order() == ()


def test_what_a_former_worker_used_is_used() -> None:
    matcher = Matcher(Replay((a_call(1, 0, "a"), a_call(2, 1, "a")), frozenset({1})))
    assert answered(matcher, "a", "a") == [2, None]
