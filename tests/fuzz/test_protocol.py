"""The codec under random frames, random cuts and random garbage."""

from __future__ import annotations

import json
import struct
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.harness.protocol import (
    HARNESS_KINDS,
    MAX_FROM_HARNESS,
    MAX_FROM_WORKER,
    NUMBERED,
    WORKER_KINDS,
    Decoder,
    Frame,
    ProtocolError,
    ResultFrame,
    ResultPart,
    encode,
    harness_decoder,
    join_result,
    split_result,
    worker_decoder,
)

TEXT = st.text(max_size=200)
INTEGER = st.integers(min_value=-(2**63), max_value=2**63 - 1)
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: INTEGER,
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}


def _values(annotation: object) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is Union:
        return st.none() | _values(arguments[0])
    if origin is list:
        return st.lists(_values(arguments[0]), max_size=5)
    if origin is dict:
        return st.dictionaries(TEXT, _values(arguments[1]), max_size=5)
    return PLAIN[annotation]


def _frames(kinds: tuple[type[Frame], ...]) -> st.SearchStrategy[Frame]:
    return st.one_of(
        *(
            st.builds(kind, **{item.name: _values(item.type) for item in fields(kind)})
            for kind in kinds
        )
    )


@given(st.data(), st.lists(_frames(HARNESS_KINDS), max_size=6))
def test_frames_of_the_harness_survive_any_cut_of_their_bytes(
    data: st.DataObject, frames: list[Frame]
) -> None:
    numbered = [(n if isinstance(f, NUMBERED) else None, f) for n, f in enumerate(frames, 1)]
    wire = b"".join(encode(frame, n) for n, frame in numbered)
    decoder = harness_decoder()
    got: list[tuple[int | None, Frame]] = []
    while wire:
        cut = data.draw(st.integers(min_value=1, max_value=len(wire)))
        got += decoder.feed(wire[:cut])
        wire = wire[cut:]
    assert got == numbered


@given(_frames(WORKER_KINDS))
def test_frames_of_the_worker_come_back_equal(frame: Frame) -> None:
    assert worker_decoder().feed(encode(frame)) == [(None, frame)]


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_waited_on_and_never_anything_else(data: bytes) -> None:
    for decoder in (harness_decoder(), worker_decoder()):
        _feed(decoder, data)
        _feed(decoder, b"")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=20,
    )
)
def test_any_json_is_refused_or_a_frame(value: object) -> None:
    for document in (
        value,
        {"kind": "log", "data": value},
        {"kind": "exit", "n": 1, "data": value},
    ):
        _feed(harness_decoder(), _wire(json.dumps(document).encode()))


@given(_frames(HARNESS_KINDS), st.data())
def test_a_frame_with_one_damaged_byte_is_a_frame_or_refused(
    frame: Frame, data: st.DataObject
) -> None:
    wire = bytearray(encode(frame))
    wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    _feed(harness_decoder(), bytes(wire))


@given(
    st.text(),
    st.none() | st.text(),
    st.sampled_from([0, 1, 40_000, 70_000, 200_000]),
    st.sampled_from(["a", "\x00", "é", "😀"]),
)
def test_a_result_of_any_size_is_the_same_after_it_was_split(
    text: str, value: str | None, size: int, filler: str
) -> None:
    filled = None if value is None else value + filler * size
    result = ResultFrame(text + filler * size, filled, {"input_tokens": 3}, None)
    decoder = harness_decoder()
    got = [
        f
        for n, part in enumerate(split_result(result), 1)
        for _, f in decoder.feed(encode(part, n))
    ]
    last = got.pop()
    assert isinstance(last, ResultFrame)
    assert join_result([part for part in got if isinstance(part, ResultPart)], last) == result


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nul",
        b'{"kind":"heartbeat"}',
        b'{"kind":"heartbeat","data":[]}',
        b'{"kind":"heartbeat","data":{"extra":1}}',
        b'{"kind":"heartbeat","n":1,"data":{}}',
        b'{"kind":"heartbeat","data":{},"more":1}',
        b'{"kind":"heartbeat","kind":"heartbeat","data":{}}',
        b'{"kind":"os.system","data":{}}',
        b'{"kind":["log"],"data":{}}',
        b'{"kind":"begun","n":1,"data":{"pid":true}}',
        b'{"kind":"begun","n":1,"data":{"pid":1.0}}',
        b'{"kind":"begun","n":1,"data":{"pid":"1"}}',
        b'{"kind":"begun","n":1,"data":{"pid":9223372036854775808}}',
        b'{"kind":"begun","n":1,"data":{"pid":' + b"9" * 5000 + b"}}",
        b'{"kind":"begun","n":1,"data":{}}',
        b'{"kind":"begun","n":0,"data":{"pid":1}}',
        b'{"kind":"begun","n":true,"data":{"pid":1}}',
        b'{"kind":"log","n":1,"data":{"stream":"system","text":""}}',
        b'{"kind":"log","n":1,"data":{"stream":"stdout","text":"\\ud800"}}',
        b'{"kind":"log","n":1,"data":{"stream":"stdout","text":null}}',
        b'{"kind":"log","n":1,"data":{"stream":"stdout","text":"\xc3\xa9"}}',
        b'{"kind":"metric","n":1,"data":{"memory_bytes":1,"memory_peak_bytes":1,'
        b'"cpu_seconds":NaN,"processes":1}}',
        b'{"kind":"metric","n":1,"data":{"memory_bytes":1,"memory_peak_bytes":1,'
        b'"cpu_seconds":1e999,"processes":1}}',
        b"[" * 200_000,
        b'{"kind":"log","n":1,"data":' + b'{"a":' * 100_000,
    ],
)
def test_a_malformed_frame_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        harness_decoder().feed(_wire(body))


def test_an_oversize_frame_is_refused_before_its_bytes_arrive() -> None:
    for decoder, limit in (
        (harness_decoder(), MAX_FROM_HARNESS),
        (worker_decoder(), MAX_FROM_WORKER),
    ):
        assert decoder.feed(struct.pack(">I", limit)) == []
        with pytest.raises(ProtocolError):
            type(decoder)(HARNESS_KINDS, limit).feed(struct.pack(">I", limit + 1))


def _wire(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def _feed(decoder: Decoder[Any], data: bytes) -> None:
    try:
        decoder.feed(data)
    except ProtocolError:
        return
