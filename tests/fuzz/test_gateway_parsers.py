"""Parsers of foreign bytes in the gateway: they answer or refuse, and agree with a reference."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from seatrial.gateway import taps, tls
from seatrial.gateway.providers import ollama, openai
from seatrial.gateway.providers.base import parse_object
from seatrial.gateway.scrub import KnownSecrets, Scrubber

NAMES = st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9]{1,20}){0,3}", fullmatch=True)
RECORDS = st.binary(max_size=300).map(
    lambda body: b"\x16\x03\x01" + max(len(body), 1).to_bytes(2, "big") + body
)


def field(size: int, body: bytes) -> bytes:
    return len(body).to_bytes(size, "big") + body


def hello(name: str, before: bytes) -> bytes:
    entry = b"\x00" + field(2, name.encode())
    other = b"\xfa\xfa" + field(2, before)
    extensions = other + b"\x00\x00" + field(2, field(2, entry))
    body = b"\x03\x03" + bytes(32) + field(1, b"") + field(2, b"\x13\x01") + field(1, b"\x00")
    return b"\x01" + field(3, body + field(2, extensions))


@given(st.binary(max_size=400) | RECORDS)
def test_any_bytes_are_a_hello_or_too_few_or_refused(data: bytes) -> None:
    try:
        found = tls.client_hello(data)
        if found is not None:
            tls.server_name(found)
    except tls.NotTls:
        pass


@given(st.binary(max_size=400))
def test_any_hello_has_a_name_or_none_or_is_refused(data: bytes) -> None:
    try:
        name = tls.server_name(data)
    except tls.NotTls:
        return
    assert name is None or name.isascii()


@given(NAMES, st.binary(max_size=50), st.integers(1, 64), st.binary(max_size=20))
def test_a_name_is_read_from_any_cut_into_records(
    name: str, before: bytes, size: int, after: bytes
) -> None:
    body = hello(name, before)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    data = b"".join(b"\x16\x03\x03" + field(2, piece) for piece in pieces)
    found = tls.client_hello(data + after)
    assert found is not None
    assert tls.server_name(found) == name


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_taps_take_any_bytes_and_never_raise(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(data)]
    for kind in ("application/json", "application/x-ndjson", "text/event-stream"):
        for read in (ollama.read, openai.read):
            tap = taps.tap_for(kind, read)
            assert tap is not None
            for start, end in itertools.pairwise(edges):
                tap.feed(data[start:end])
            tap.end()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["usage", "error", "choices", "response", "done", "message", "type"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_readings_of_any_json_never_raise(value: object) -> None:
    parsed = parse_object(json.dumps(value).encode())
    if parsed is not None:
        ollama.read(parsed)
        openai.read(parsed)


@given(
    st.text(alphabet="abc", max_size=60),
    st.text(alphabet="abc", min_size=8, max_size=10),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_no_cut_lets_a_secret_through_or_changes_a_length(
    text: str, secret: str, cuts: list[int]
) -> None:
    data = f"{text}{secret}{text}".encode()
    scrubber = Scrubber(KnownSecrets([secret]))
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    out = b"".join(scrubber.feed(data[a:b]) for a, b in itertools.pairwise(edges))
    out += scrubber.end()
    assert secret.encode() not in out
    assert len(out) == len(data)
