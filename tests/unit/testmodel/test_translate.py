"""The translation between Ollama's API and llama.cpp's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.testmodel.app import error_body
from seatrial.testmodel.describe import timestamp
from seatrial.testmodel.errors import ApiError
from seatrial.testmodel.openai_routes import parse_object
from seatrial.testmodel.process import ready_url
from seatrial.testmodel.requests import ChatRequest, GenerateRequest, Options, parse
from seatrial.testmodel.translate import (
    CHAT_PATH,
    TEXT_PATH,
    Durations,
    Piece,
    Tally,
    chat_call,
    chunk,
    engine_error,
    engine_options,
    generate_call,
    read_piece,
    without_tools,
)
from seatrial.testmodel.upstream import read_line
from seatrial.testmodel.weights import check_model_name

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def chat_body(**fields: Any) -> dict[str, Any]:
    body = {"model": "smollm2", "messages": [{"role": "user", "content": "hi"}], **fields}
    return dict(chat_call(parse(json.dumps(body).encode(), ChatRequest)).body)


def generate(**fields: Any) -> GenerateRequest:
    return parse(
        json.dumps({"model": "smollm2", "prompt": "hi", **fields}).encode(), GenerateRequest
    )


def test_a_chat_is_always_asked_for_as_a_stream_with_usage() -> None:
    body = chat_body(stream=False)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_options_are_renamed_and_unset_ones_left_out() -> None:
    options = Options(temperature=0.5, seed=3, num_predict=9, stop=("a", "b"), top_p=0.9, top_k=4)
    assert engine_options(options) == {
        "temperature": 0.5,
        "seed": 3,
        "max_tokens": 9,
        "stop": ["a", "b"],
        "top_p": 0.9,
        "top_k": 4,
    }


@pytest.mark.parametrize("limit", [-1, -2])
def test_a_negative_num_predict_sets_no_limit(limit: int) -> None:
    assert engine_options(Options(num_predict=limit)) == {}


def test_options_of_ollamas_runner_are_ignored() -> None:
    assert "num_ctx" not in chat_body(options={"num_ctx": 8192, "num_gpu": 1})


def test_a_schema_becomes_a_response_format() -> None:
    schema = {"type": "object"}
    assert chat_body(format=schema)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"schema": schema},
    }
    assert chat_body(format="json")["response_format"] == {"type": "json_object"}
    assert "response_format" not in chat_body(format="")


def test_offered_tools_do_not_reach_the_engine() -> None:
    assert "tools" not in chat_body(tools=[{"type": "function"}])
    assert without_tools({"model": "m", "tools": [], "tool_choice": "auto"}) == {"model": "m"}


def test_a_tool_call_without_text_is_shown_to_the_model_as_json() -> None:
    call = {"function": {"name": "f", "arguments": {"x": 1}}}
    messages = [{"role": "assistant", "content": "", "tool_calls": [call]}]
    (message,) = chat_body(messages=messages)["messages"]
    assert json.loads(message["content"]) == [call]


def test_a_prompt_becomes_a_user_message_after_the_system_message() -> None:
    call = generate_call(generate(system="Be brief."))
    assert call.path == CHAT_PATH
    assert call.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]


def test_a_raw_prompt_goes_past_the_chat_template() -> None:
    call = generate_call(generate(raw=True, format={"type": "object"}))
    assert call.path == TEXT_PATH
    assert call.body["prompt"] == "hi"
    assert call.body["json_schema"] == {"type": "object"}


@pytest.mark.parametrize(
    "fields",
    [{"think": True}, {"think": "high"}, {"suffix": "x"}, {"template": "x"}, {"context": [1]}],
)
def test_what_the_model_cannot_do_is_refused_and_not_ignored(fields: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        generate_call(generate(**fields))
    assert caught.value.status == 400


def test_thinking_that_is_switched_off_is_fine() -> None:
    assert generate_call(generate(think=False, images=[], suffix="")).path == CHAT_PATH


def test_a_bad_field_is_named() -> None:
    with pytest.raises(ApiError, match=r"options\.temperature") as caught:
        generate(options={"temperature": "hot"})
    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["smollm2:135m", "smollm2"])
def test_both_names_of_the_model_are_known(name: str) -> None:
    assert check_model_name(name) == name


@pytest.mark.parametrize("name", ["smollm2:latest", "smollm2:", "SMOLLM2", "llama3.2", ""])
def test_any_other_name_is_not_found(name: str) -> None:
    with pytest.raises(ApiError, match="not found") as caught:
        check_model_name(name)
    assert caught.value.status == 404


def test_pieces_of_a_chat_and_of_a_completion_are_both_read() -> None:
    assert read_piece({"choices": [{"delta": {"content": "a"}}]}) == Piece(text="a")
    assert read_piece({"choices": [{"text": "b"}]}) == Piece(text="b")
    assert read_piece({"choices": [{"delta": {"role": "assistant", "content": None}}]}) == Piece()


def test_the_last_piece_carries_counts_and_times_in_nanoseconds() -> None:
    event: Any = {
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
        "timings": {"prompt_ms": 1.5, "predicted_ms": 2},
    }
    assert read_piece(event) == Piece("", None, 3, 5, 1_500_000, 2_000_000)


def test_an_error_in_the_stream_is_raised() -> None:
    with pytest.raises(ApiError, match="broken"):
        read_piece({"error": {"message": "broken"}})


def test_a_tally_reports_what_the_pieces_said() -> None:
    tally = Tally()
    for piece in (Piece("a"), Piece("b", "length"), Piece("", None, 3, 5, 7, 11)):
        tally.add(piece)
    assert tally.text() == "ab"
    assert tally.done_fields(Durations(total=100, load=1)) == {
        "done": True,
        "done_reason": "length",
        "total_duration": 100,
        "load_duration": 1,
        "prompt_eval_count": 3,
        "prompt_eval_duration": 7,
        "eval_count": 5,
        "eval_duration": 11,
    }


def test_chunks_of_chat_and_generate_differ_in_where_the_text_is() -> None:
    chat = chunk("chat", "m", NOW, "a", {"done": False})
    assert chat["message"] == {"role": "assistant", "content": "a"}
    assert chunk("generate", "m", NOW, "a", {"done": False})["response"] == "a"
    assert chat["created_at"] == timestamp(NOW) == "2026-01-02T03:04:05.678000Z"


def test_the_engines_own_status_wins_when_it_is_one() -> None:
    assert engine_error(500, {"error": {"code": 400, "message": "too long"}}).status == 400
    assert engine_error(500, {"error": {"code": 7}}).status == 500
    assert engine_error(503, {}).status == 503


def test_each_api_has_its_own_shape_of_error() -> None:
    assert error_body("/api/chat", 404, "gone") == {"error": "gone"}
    assert error_body("/v1/models/x", 404, "gone") == {
        "error": {"message": "gone", "type": "not_found_error", "param": None, "code": None}
    }


@pytest.mark.parametrize("line", [b"", b"\n", b": ping\n", b"data: [DONE]\n", b"event: x\n"])
def test_lines_without_an_object_are_skipped(line: bytes) -> None:
    assert read_line(line) is None


def test_lines_with_data_and_with_an_error_are_read() -> None:
    assert read_line(b'data: {"a": 1}\r\n') == {"a": 1}
    assert read_line(b'error: {"message": "m"}\n') == {"error": {"message": "m"}}


@given(st.binary())
def test_any_bytes_as_a_body_are_parsed_or_refused(body: bytes) -> None:
    for shape in (ChatRequest, GenerateRequest):
        try:
            parse(body, shape)
        except ApiError as error:
            assert error.status == 400  # noqa: PT017 (both ways out are right)


@given(st.binary())
def test_any_bytes_from_the_engine_are_read_or_refused(line: bytes) -> None:
    try:
        read_line(line)
    except ApiError as error:
        assert error.status == 500  # noqa: PT017 (both ways out are right)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        parse_object(body)
    assert caught.value.status == 400


def test_the_ready_line_gives_the_url() -> None:
    assert ready_url(b'{"url": "http://127.0.0.1:1"}\n') == "http://127.0.0.1:1"
