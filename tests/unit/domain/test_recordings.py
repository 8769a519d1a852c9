"""A recorded call survives being stored, whatever stands in it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from seatrial.domain.recordings import (
    RecordedAnswer,
    RecordedCall,
    as_plain,
    info_of,
    packed,
    unpacked,
)

TEXT = st.text(max_size=40)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
TOKENS = st.none() | st.integers(0, 2**53)

ANSWERS = st.builds(
    RecordedAnswer,
    status=st.none() | st.integers(100, 599),
    reason=TEXT,
    headers=PAIRS,
    pieces=st.lists(st.tuples(st.integers(0, 10**9), st.binary(max_size=200)), max_size=6).map(
        tuple
    ),
    end=st.sampled_from(["whole", "cut", "abandoned"]),
)
CALLS = st.builds(
    RecordedCall,
    number=st.integers(1, 10**6),
    provider=TEXT,
    operation=TEXT,
    counted=st.booleans(),
    model=TEXT,
    method=TEXT,
    path=TEXT,
    query=TEXT,
    headers=PAIRS,
    body=st.binary(max_size=500),
    answer=ANSWERS,
    started_at=st.datetimes(timezones=st.just(UTC)),
    seconds=st.floats(0, 10**6),
    input_tokens=TOKENS,
    output_tokens=TOKENS,
    error=st.none() | TEXT,
    message=TEXT,
)


@given(CALLS)
def test_what_was_stored_is_read_back_the_same(call: RecordedCall) -> None:
    facts, bodies = packed(call)
    assert facts.isascii()
    assert "\0" not in facts
    assert unpacked(call.number, facts, bodies) == call


@given(CALLS)
def test_the_list_and_the_download_say_what_was_stored(call: RecordedCall) -> None:
    info = info_of(call.number, packed(call)[0])
    assert info.request_bytes + info.answer_bytes == call.size
    assert (info.status, info.end, info.started_at) == (
        call.answer.status,
        call.answer.end,
        call.started_at,
    )
    plain = as_plain(call)
    pieces = [_bytes(piece) for piece in plain["answer"]["pieces"]]
    assert pieces == [piece for _, piece in call.answer.pieces]
    assert _bytes(plain["request"]) == call.body


def _bytes(value: dict[str, str]) -> bytes:
    return value["text"].encode() if "text" in value else base64.b64decode(value["base64"])


def test_a_call_ended_before_another_only_when_they_were_never_in_flight_together() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)

    def call(at: float, seconds: float) -> RecordedCall:
        answer = RecordedAnswer(200)
        begun = start + timedelta(seconds=at)
        return RecordedCall(
            1, "p", "o", True, "m", "POST", "/", "", (), b"", answer, begun, seconds
        )

    assert call(0, 1).ended_before(call(1, 1))
    assert not call(0, 1.5).ended_before(call(1, 1))
    assert not call(1, 1).ended_before(call(0, 0.5))
