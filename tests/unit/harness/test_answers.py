"""What agents return, written down."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from seatrial.harness.frameworks.answers import Answer, usage_of, write


class Model(BaseModel):
    answer: str
    n: int


@dataclasses.dataclass
class Data:
    content: str
    inner: Any = None


@pytest.mark.parametrize(
    ("value", "response", "as_json"),
    [
        ("text", "text", None),
        (None, None, None),
        (b"by\xfftes", "by\ufffdtes", None),
        (3, "3", 3),
        (True, "true", True),
        ({"result": "r", "x": 1}, "r", {"result": "r", "x": 1}),
        ({"output": "o", "text": "t"}, "o", {"output": "o", "text": "t"}),
        ({"x": 1}, '{"x": 1}', {"x": 1}),
        ({"message": {"content": [{"text": "a"}, {"text": "b"}]}}, "ab", ...),
        (["a", "b"], "ab", ["a", "b"]),
        ([1, 2], "[1, 2]", [1, 2]),
        (Model(answer="m", n=1), "m", {"answer": "m", "n": 1}),
        (Data("d"), "d", {"content": "d", "inner": None}),
        ({"text": "t", "set": {1}, "odd": Data("d")}, "t", ...),
    ],
)
def test_a_value_has_a_text_and_when_structured_its_json(
    value: Any, response: str | None, as_json: Any
) -> None:
    written = write(Answer(value))
    assert written.response == response
    if as_json is not ...:
        assert (None if written.value_json is None else json.loads(written.value_json)) == as_json


@pytest.mark.parametrize("value", [{"x": float("nan")}, {"x": [float("inf")]}])
def test_a_value_that_json_cannot_hold_has_only_a_text(value: Any) -> None:
    written = write(Answer(value))
    assert written.value_json is None
    assert written.response == str(value)


def test_a_value_that_holds_itself_has_only_a_text() -> None:
    value: list[Any] = []
    value.append(value)
    assert write(Answer(value)).value_json is None


def test_halves_of_surrogate_pairs_are_replaced_in_text_and_json() -> None:
    assert write(Answer("a\ud800b")).response == "a?b"
    assert write(Answer({"x": "a\ud800b"})).value_json == '{"x": "a?b"}'


@pytest.mark.parametrize(
    "source",
    [
        {"inputTokens": 1, "outputTokens": 2},
        {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        SimpleNamespace(input_tokens=1, output_tokens=2),
        {"input_tokens": 1, "output_tokens": 2, "cost": "much"},
    ],
)
def test_usage_is_read_under_any_of_its_names(source: Any) -> None:
    assert usage_of(source) == {"input_tokens": 1, "output_tokens": 2}


@given(st.recursive(st.none() | st.floats() | st.text() | st.binary(), st.lists, max_leaves=10))
def test_anything_can_be_written_down(value: Any) -> None:
    written = write(Answer({"result": value}))
    if written.value_json is not None:
        json.loads(written.value_json)
