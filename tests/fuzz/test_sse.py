"""The event stream parser on bytes that nobody promised anything about."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.client.errors import BadAnswer
from seatrial.client.sse import EventStream, ServerSentEvent

_ENDS = st.sampled_from(["\n", "\r", "\r\n"])
_PIECES = (
    *(b"data", b"id", b"event", b"retry", b":", b" ", b"\n", b"\r", b"\r\n", b"\0", b"7"),
    *(b"\xef\xbb\xbf", b"\xe2\x82\xac", b"\xe2\x82", b"\xff", b"x", b"data: y\n\n"),
)
_STREAMLIKE = st.lists(st.sampled_from(_PIECES), max_size=60).map(b"".join)
_ANY_BYTES = st.one_of(st.binary(max_size=300), _STREAMLIKE)
_ONE_LINE = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


def _whole(data: bytes) -> tuple[list[ServerSentEvent], str, float | None]:
    """The standard's algorithm on a whole stream at once, as plainly as it can be written."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    found: list[ServerSentEvent] = []
    buffer, kind, id_buffer, last_id, retry = "", "", "", "", None
    for line in lines:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if line == "":
            last_id = id_buffer
            if buffer:
                found.append(ServerSentEvent(buffer[:-1], kind or "message", last_id))
            buffer, kind = "", ""
        elif name == "data":
            buffer += value + "\n"
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            id_buffer = value
        elif name == "retry" and value and all(c in "0123456789" for c in value):
            retry = int(value[:9]) / 1000
    return found, last_id, retry


@given(_ANY_BYTES, st.lists(st.integers(0, 300), max_size=20))
def test_any_bytes_cut_anywhere_parse_as_the_standard_says(data: bytes, cuts: list[int]) -> None:
    stream = EventStream()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    events = [event for start, end in pairwise(edges) for event in stream.feed(data[start:end])]
    assert (events, stream.last_id, stream.retry_seconds) == _whole(data)


@given(st.lists(st.tuples(st.lists(_ONE_LINE, min_size=1, max_size=4), _ONE_LINE)), _ENDS)
def test_every_written_event_is_read_back(written: list[tuple[list[str], str]], end: str) -> None:
    lines: list[str] = []
    for data, event_id in written:
        lines += [f"id: {event_id}", *(f"data: {line}" for line in data), ": keep-alive", ""]
    text = "".join(line + end for line in lines)
    stream = EventStream()
    events = [event for byte in text.encode() for event in stream.feed(bytes([byte]))]
    assert [(event.data, event.id) for event in events] == [
        ("\n".join(data), event_id) for data, event_id in written
    ]


@given(st.integers(1, 200), st.sampled_from([b"data: xxxxxxxx\n", b"x", b":xxxxxxx", b"id: 1\r"]))
def test_what_never_ends_is_refused_at_the_limit(limit: int, piece: bytes) -> None:
    stream = EventStream(max_event_size=limit)

    def feed_on() -> None:
        for _ in range(limit + 1):
            stream.feed(piece)

    with pytest.raises(BadAnswer, match="more than"):
        feed_on()


def test_an_event_as_large_as_the_limit_passes_again_and_again() -> None:
    stream = EventStream(max_event_size=len("data: 12345"))
    assert [e.data for e in stream.feed(b"data: 12345\n\n" * 3 + b"data: 12345")] == ["12345"] * 3
