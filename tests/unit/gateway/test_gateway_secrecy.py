"""Known secrets are found however they are written and however the text is cut."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from tests.support.written import ways

from seatrial.domain.events import (
    EventData,
    FailureEvent,
    LogEvent,
    ModelCallEvent,
    NoticeEvent,
    ResponseEvent,
    ResultEvent,
)
from seatrial.domain.failures import failure
from seatrial.domain.receipts import receipt_of
from seatrial.domain.tests import Result
from seatrial.gateway.headers import to_agent
from seatrial.gateway.redaction import GONE, EventRedactor
from seatrial.gateway.scrub import KnownSecrets, Scrubber, TextScrubber

KEY = 'sk-Canary/9+x"Z=q_7&w\\k'
OTHER = "AKIAQ7ZJ3M5T8V2W4X6Y"
PLAIN = "s3cr3t-8"
WAYS = ways(KEY)


def cut(text: bytes, size: int) -> tuple[bytes, int]:
    scrubber = Scrubber(KnownSecrets([KEY, OTHER]))
    pieces = [scrubber.feed(text[i : i + size]) for i in range(0, len(text), size)]
    return b"".join(pieces) + scrubber.end(), scrubber.hits


@pytest.mark.spec("FR-008")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 17, 10_000])
def test_a_secret_is_found_in_every_encoding_across_any_cut(way: str, size: int) -> None:
    text = f"before {WAYS[way]} after\n".encode()
    out, hits = cut(text, size)
    assert hits >= 1
    assert len(out) == len(text)
    assert out.startswith(b"before ")
    assert out.endswith(b" after\n")
    # Of an encoding that is cut within its first characters, three may have gone before.
    assert WAYS[way][6:-4].encode() not in out


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_json_stays_json_without_its_secret(size: int) -> None:
    text = json.dumps({"text": f"a {KEY} b", "list": [1, "x"]}).encode()
    out, _ = cut(text, size)
    assert json.loads(out)["list"] == [1, "x"]
    assert KEY not in json.loads(out)["text"]


@pytest.mark.parametrize(
    "text",
    [
        "Loading skills: 12 of 30\n",
        '{"id": "chatcmpl-9", "usage": {"total_tokens": 7}}\n',
        "│ ok │",
    ],
)
def test_ordinary_output_is_neither_changed_nor_held(text: str) -> None:
    stream = TextScrubber(KnownSecrets([KEY, OTHER]))
    assert stream.feed(text) == text
    assert (stream.end(), stream.hits) == ("", 0)


def test_the_beginning_of_a_secret_comes_out_when_nothing_follows() -> None:
    stream = TextScrubber(KnownSecrets([KEY]))
    assert stream.feed(f"the key starts with {KEY[:9]}\n") == "the key starts with "
    assert stream.end() == f"{KEY[:9]}\n"


def test_nearly_all_of_a_secret_at_the_end_counts_as_one() -> None:
    stream = TextScrubber(KnownSecrets([OTHER]))
    assert stream.feed(f"x {OTHER[:-2]}") + stream.end() == "x " + "*" * (len(OTHER) - 2)
    assert stream.hits == 1


@given(
    st.sampled_from([PLAIN, KEY, OTHER]),
    st.integers(min_value=1),
    st.text(st.sampled_from("sk-3crt8 AKI/=x\n"), max_size=8),
    st.text(st.sampled_from("sk-3crt8 AKI/=x\n"), max_size=8),
)
def test_the_quick_look_never_misses_what_the_long_one_finds(
    secret: str, length: int, before: str, after: str
) -> None:
    known = KnownSecrets([secret, PLAIN, KEY])
    text = before + secret[: 1 + length % len(secret)]
    scrubber = TextScrubber(known)
    if scrubber.feed(text) + scrubber.end() != text:
        assert known.may_be_in(text)
        assert known.may_be_in("\n".join([after, text, after]))


def test_headers_lose_a_secret_and_most_of_one_wherever_they_stand() -> None:
    given_ = CIMultiDict(
        {"A": "plain", "B": f"x {PLAIN}", "C": OTHER[:-1], OTHER: "y", "Date": "now"}
    )
    passed = to_agent(given_, Scrubber(KnownSecrets([PLAIN, OTHER])))
    assert [*passed.items()] == [
        ("A", "plain"),
        ("B", "x " + "*" * len(PLAIN)),
        ("C", "*" * (len(OTHER) - 1)),
        ("*" * len(OTHER), "y"),
        ("Date", "now"),
    ]


def test_what_is_learned_later_is_found_from_then_on() -> None:
    known = KnownSecrets()
    scrubber = Scrubber(known)
    assert scrubber.feed(OTHER.encode()) == OTHER.encode()
    known.learn([OTHER])
    assert OTHER.encode() not in scrubber.feed(OTHER.encode())


@given(st.text(max_size=80), st.lists(st.integers(0, 120), max_size=8))
def test_no_text_is_lost_reordered_or_changed_without_a_secret(text: str, cuts: list[int]) -> None:
    stream = TextScrubber(KnownSecrets([OTHER]))
    edges = [0, *sorted(min(at, len(text)) for at in cuts), len(text)]
    assert "".join(stream.feed(text[a:b]) for a, b in itertools.pairwise(edges)) + stream.end() == (
        text
    )


# --------------------------------------------------------------------------- events


def redactor() -> EventRedactor:
    return EventRedactor(KnownSecrets([KEY, OTHER]))


def logged(events: list[EventData], stream: str) -> str:
    return "".join(e.text for e in events if isinstance(e, LogEvent) and e.stream == stream)


@pytest.mark.spec("FR-008")
def test_a_secret_split_over_events_is_found_in_its_own_stream() -> None:
    mine = redactor()
    events = mine.clean([LogEvent(stream="stdout", text=f"out {OTHER[:10]}")])
    events += mine.clean([LogEvent(stream="stderr", text="meanwhile\n")])
    events += mine.clean([LogEvent(stream="stdout", text=f"{OTHER[10:]} end\n")])
    assert logged(events, "stdout") == f"out {'*' * len(OTHER)} end\n"
    assert logged(events, "stderr") == "meanwhile\n"
    assert mine.leaks().places["stdout"].hits == 1


def test_what_is_held_back_comes_before_the_agents_exit() -> None:
    mine = redactor()
    exit_event = NoticeEvent(code="agent.exit", message="exit code 0")
    events = mine.clean([LogEvent(stream="stdout", text=f"half {OTHER[:9]}"), exit_event])
    assert [e.text for e in events if isinstance(e, LogEvent)] == ["half ", OTHER[:9]]
    assert events[-1] == exit_event


def test_every_text_of_an_event_is_searched_and_counted_by_its_place() -> None:
    mine = redactor()
    call = ModelCallEvent(provider="openai", model=KEY, latency_seconds=0, message=f"no: {KEY}")
    error = NoticeEvent(code="agent.error", message=KEY, data={"type": "E", "message": KEY})
    events = mine.clean(
        [
            ResponseEvent(text=f"r {KEY}\n"),
            ResultEvent(result=Result(response=KEY, value={"a": [KEY], KEY: 1})),
            call,
            error,
            FailureEvent(failure=failure("agent.exception", KEY, evidence=KEY)),
        ]
    )
    assert KEY not in repr(events)
    assert {place: scan.hits for place, scan in mine.leaks().places.items()} == {
        "response": 1,
        "result": 3,
        "model_call": 2,
        "error": 2,
        "failure": 2,
    }
    told = [e.data["place"] for e in events if isinstance(e, NoticeEvent) and "place" in e.data]
    assert told == ["response", "result", "model_call", "error", "failure"]


@pytest.mark.parametrize("value", [list(OTHER), {"a": OTHER[:10], "b": OTHER[10:]}])
def test_a_secret_spread_over_a_value_is_found(value: object) -> None:
    mine = redactor()
    [event, *_] = mine.clean([ResultEvent(result=Result(value=value))])
    assert isinstance(event, ResultEvent)
    if isinstance(value, list):
        assert event.result.value == ["*"] * len(OTHER)
        assert mine.leaks().places["result"].hits == 1
    else:
        # Another word stands between: this is two halves and no secret.
        assert event.result.value == value


def test_a_number_that_is_a_secret_takes_its_value_along() -> None:
    mine = EventRedactor(KnownSecrets(["8412957301"]))
    [event, *_] = mine.clean([ResultEvent(result=Result(value={"pin": 8412957301}))])
    assert isinstance(event, ResultEvent)
    assert event.result.value == GONE


@pytest.mark.parametrize(
    ("place", "leaked"), [("stdout", ()), ("result", ("result",)), ("request", ("request",))]
)
def test_a_secret_in_an_artifact_marks_the_receipt(place: str, leaked: tuple[str, ...]) -> None:
    mine = redactor()
    mine.scan(place, [f"x = '{KEY}'"])
    receipt = receipt_of(mine.leaks(), {"TOKEN": "weather"}, removed={}, left=())
    assert receipt.leaked_artifacts == leaked
    assert KEY not in receipt.model_dump_json()


def test_places_of_a_former_worker_stay_marked() -> None:
    assert EventRedactor(KnownSecrets(), ["result"]).leaks().places["result"].hits == 1
