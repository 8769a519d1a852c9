"""Taps read and scrubbers clean, however the bytes are cut."""

from __future__ import annotations

import json
import time

import pytest

from seatrial.gateway import taps
from seatrial.gateway.providers import ollama, openai
from seatrial.gateway.providers.base import Reading
from seatrial.gateway.scrub import KnownSecrets, Scrubber

NDJSON = b'{"done":false,"response":"a"}\n{"done":true,"eval_count":2,"prompt_eval_count":3}\n'
SSE = (
    b'data: {"choices":[{"finish_reason":null}]}\r\n\r\n: note\n\n'
    b'event: x\ndata:{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)
KEY = "sk-canary-0123456789"


def fed(tap: taps.Tap | None, data: bytes, size: int) -> Reading:
    assert tap is not None
    for start in range(0, len(data), size):
        tap.feed(data[start : start + size])
    return tap.end()


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_usage_is_the_same_however_the_stream_is_cut(size: int) -> None:
    whole = Reading(input_tokens=3, output_tokens=2, complete=True)
    ndjson = taps.tap_for("application/x-ndjson", ollama.read)
    sse = taps.tap_for("text/event-stream; charset=utf-8", openai.read)
    assert fed(ndjson, NDJSON, size) == whole
    assert fed(sse, SSE, size) == whole


def test_a_stream_without_its_protocols_end_is_incomplete() -> None:
    tap = taps.tap_for("application/x-ndjson", ollama.read)
    assert not fed(tap, NDJSON.splitlines(keepends=True)[0], 8).complete


def test_a_final_line_without_a_line_end_counts() -> None:
    tap = taps.tap_for("application/x-ndjson", ollama.read)
    assert fed(tap, NDJSON.rstrip(), 8).output_tokens == 2


def test_a_line_too_long_to_keep_makes_the_end_unknown_rather_than_missing() -> None:
    tap = taps.tap_for("application/x-ndjson", ollama.read)
    long = b'{"response":"' + b"x" * (taps.MAX_LINE + 1) + b'"}\n'
    assert fed(tap, long + b'{"eval_count":2,"done":false}\n', 65536) == Reading(
        output_tokens=2, complete=True
    )


def test_a_body_too_large_to_keep_has_no_known_usage() -> None:
    tap = taps.tap_for("application/json", openai.read)
    body = json.dumps({"x": "y" * taps.MAX_BODY, "usage": {"prompt_tokens": 1}}).encode()
    assert fed(tap, body, 1 << 20) == Reading(complete=True)


@pytest.mark.parametrize("kind", ["", "text/html", "application/octet-stream"])
def test_an_answer_of_another_type_is_not_read(kind: str) -> None:
    assert taps.tap_for(kind, ollama.read) is None


@pytest.mark.parametrize("size", range(1, len(KEY) + 3))
def test_the_key_is_found_across_any_cut(size: int) -> None:
    scrubber = Scrubber(KnownSecrets([KEY]))
    data = f"{KEY}a{KEY}{KEY[:5]}{KEY}sk-{KEY[:9]}".encode()
    cleaned = b"".join(
        scrubber.feed(data[start : start + size]) for start in range(0, len(data), size)
    )
    cleaned += scrubber.end()
    stars = b"*" * len(KEY)
    assert cleaned == stars + b"a" + stars + b"sk-ca" + stars + b"sk-" + KEY[:9].encode()


def test_a_chunk_that_cannot_begin_a_key_passes_at_once() -> None:
    scrubber = Scrubber(KnownSecrets([KEY]))
    assert scrubber.feed(b'data: {"x":1}\n\n') == b'data: {"x":1}\n\n'


def test_only_the_possible_beginning_of_a_key_is_held_back() -> None:
    scrubber = Scrubber(KnownSecrets([KEY]))
    assert scrubber.feed(b"hello sk-can") == b"hello "
    assert scrubber.feed(b"dy") == b"sk-candy"


def test_placeholders_are_no_secrets() -> None:
    assert not Scrubber(KnownSecrets(["EMPTY", "x"])).active


@pytest.mark.parametrize("piece", [b"[],", b"{},", b'"",', b"1,", b'{"a":[1,{}]},'])
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_an_answer_that_is_costly_to_parse_is_not_read(kind: str, piece: bytes) -> None:
    tap = taps.tap_for(kind, openai.read)
    assert tap is not None
    limit = taps.MAX_BODY if kind == "application/json" else taps.MAX_LINE
    body = b'{"x":[' + piece * ((limit - 100) // len(piece)) + b'1],"usage":{"prompt_tokens":1}}'
    began = time.thread_time()
    tap.feed(body)
    tap.end()
    assert time.thread_time() - began < 0.25


def test_a_large_answer_of_vectors_is_still_read() -> None:
    vectors = json.dumps([{"embedding": [0.0123456] * 1536} for _ in range(200)])
    tap = taps.tap_for("application/json", openai.read)
    assert tap is not None
    tap.feed(b'{"data":%b,"usage":{"prompt_tokens":7}}' % vectors.encode())
    assert tap.end().input_tokens == 7
