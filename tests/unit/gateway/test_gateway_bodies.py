"""The scanner of JSON bodies: one meaning with `json`, in bounded time, memory and slices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.loop_lag import responsive_loop

from seatrial.gateway import bodies
from seatrial.gateway.bodies import LongText, Marker, Member, TooComplex, Turns, Unreadable

MIB = 2**20


def as_json_sees_it(body: bytes) -> list[Member]:
    """Every member by way of `json.loads`. Raises ValueError."""
    root = json.loads(body.decode(), object_pairs_hook=tuple, parse_constant=_refuse)
    assert isinstance(root, tuple) or not body.lstrip().startswith(b"{")
    if not isinstance(root, tuple):
        raise ValueError
    return list(_below((), cast("Any", root)))


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _below(path: tuple[str | int, ...], container: Any) -> Iterator[Member]:
    items = cast("Any", container if isinstance(container, tuple) else enumerate(container))
    for name, value in items:
        below = (*path, name)
        if isinstance(value, tuple):
            yield below, Marker.OBJECT
            yield from _below(below, value)
        elif isinstance(value, list):
            yield below, Marker.ARRAY
            yield from _below(below, value)
        elif not (isinstance(container, list) and type(value) in {int, float}):
            yield below, value


def scanned(body: bytes) -> list[Member]:
    return [member for member in bodies.scan(body) if member is not None]


def verdict(read: Any, body: bytes) -> object:
    try:
        return list(read(body))
    except (Unreadable, TooComplex) as error:
        return type(error), str(error)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=15,
)
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *(b"{", b"}", b"[", b"]", b",", b":", b'"', b'"a"', b'"x":', b'"\\"', b"\\"),
            *(b"1", b"-0", b"1.5e3", b"01", b"-", b"1.", b"9" * 40, b"true", b"null", b"NaN"),
            *(b"\\u00", b'"\\ud83d\\ude00"', b" " * 70, b"\n", b'"\t"', b"\x00"),
            *(b"\xff", "é".encode(), b"\xef\xbb\xbf"),
        ]
    ),
    max_size=24,
).map(b"".join)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=6), VALUES), st.sampled_from([None, 1, 80]), st.booleans())
def test_both_ways_see_every_member_that_json_sees(
    value: object, indent: int | None, ascii_only: bool
) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert scanned(body) == list(bodies.members(body)) == as_json_sees_it(body)


@settings(max_examples=300, deadline=None)
@given(FRAGMENTS.map(lambda data: b'{"k":' + data) | FRAGMENTS | st.binary(max_size=60))
@example(b'{"a":[1,2,]}')
@example(b'{"a":1,}')
@example(b'{,"a":1}')
@example(b'{"a":[,1]}')
@example(b'{"a":[1 2]}')
@example(b'{"a" 1}')
@example(b'{"a":1]')
@example(b'{"a":1} {"a":2}')
@example(b'\xef\xbb\xbf{"a":1}')
@example(b'{"a":1}\x00')
@example(b'{"a":Infinity}')
@example(b'{"a":"\\ud800"}')
@example(b'{"a":"\x1f"}')
@example(b"[]")
@example(b"")
def test_both_ways_refuse_what_json_refuses(body: bytes) -> None:
    try:
        expected: object = as_json_sees_it(body)
    except ValueError:
        expected = (Unreadable, "")
    assert verdict(scanned, body) == verdict(bodies.members, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' + b"9" * (bodies.MAX_NUMBER + 1) + b"}",
        b'{"a":[' + b"1." + b"9" * bodies.MAX_NUMBER + b"]}",
        b'{"a":' + b"9" * bodies.MAX_NUMBER + b"}",
        b'{"a":' + b"[" * (bodies.MAX_DEPTH - 1) + b"]" * (bodies.MAX_DEPTH - 1) + b"}",
        b'{"a":' + b"[" * bodies.MAX_DEPTH + b"]" * bodies.MAX_DEPTH + b"}",
        b'{"a":' + b"[" * 5000,
        b'{"' + b"n" * bodies.MAX_NAME + b'":1}',
        b'{"' + b"n" * (bodies.MAX_NAME + 1) + b'":1}',
        b'{"' + b"\\u006e" * (bodies.MAX_NAME + 1) + b'":1}',
        b'{"' + b"n" * (bodies.MAX_NAME * 13) + b'":1}',
        b'{"a":"' + b"x" * bodies.MAX_TEXT + b'"}',
        b'{"a":"' + b"x" * (bodies.MAX_TEXT + 1) + b'"}',
        b'{"a":["' + b"\\ud83d\\ude00" * 5000 + b'"],"b":1}',
        b'{"a":["' + "é".encode() * 30_000 + b'"],"b":1}',
        b'{"a":"' + b'\\"' * 30_000 + b'"}',
        b'{"a"' + b" " * 60_000 + b":1}",
    ],
    ids=lambda body: f"{body[:20]!r}…{len(body)}",
)
def test_both_ways_keep_the_same_limits(body: bytes) -> None:
    assert verdict(scanned, body) == verdict(bodies.members, body)


def test_a_long_string_is_visited_by_its_beginning() -> None:
    text = "data:image/png;base64," + "A" * (10 * MIB)
    [(path, value)] = scanned(json.dumps({"url": text}).encode())
    assert (path, value) == (("url",), LongText(text[: bodies.BEGINNING]))


def test_a_doubled_name_is_visited_twice() -> None:
    assert scanned(b'{"a":1,"\\u0061":2}') == [(("a",), 1), (("a",), 2)]


def filled(piece: bytes) -> bytes:
    return b'{"model":"m","x":[' + piece * (31 * MIB // len(piece)) + b"1]}"


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "lists": lambda: filled(b"[],"),
    "objects": lambda: filled(b"{},"),
    "empty strings": lambda: filled(b'"",'),
    "numbers": lambda: filled(b"1,"),
    "numbers of a megabyte": lambda: filled(b"9" * MIB + b","),
    "depth": lambda: b'{"model":"m","x":' + b"[" * (31 * MIB),
    "names": lambda: b'{"model":"m"' + b',"a":1' * (31 * MIB // 6) + b"}",
    "one name": lambda: b'{"' + b"a" * (31 * MIB) + b'":1}',
    "escapes": lambda: b'{"model":"m","x":"' + b'\\"' * (15 * MIB) + b'"}',
    "unicode escapes": lambda: b'{"model":"m","x":"' + b"\\ud83d" * (5 * MIB) + b'"}',
    "escaped names": lambda: b'{"' + b"\\u0061" * (5 * MIB) + b'":1}',
    "blanks": lambda: b'{"model":"m","x":' + b" " * (31 * MIB) + b"1}",
    "blanks between": lambda: filled(b" " * 65 + b"1 ,"),
    "wide text": lambda: b'{"model":"m","x":"' + "😀a".encode() * (6 * MIB) + b'"}',
    "an image": lambda: b'{"model":"m","x":"' + b"A" * (31 * MIB) + b'"}',
    "no end": lambda: b'{"model":"m","x":"' + b"A" * (31 * MIB),
    "no UTF-8": lambda: b'{"model":"m","x":"' + b"A" * (31 * MIB) + b'\xff"}',
}


@pytest.mark.parametrize("name", BOMBS)
async def test_no_body_stops_the_loop_or_fills_the_memory(name: str) -> None:
    seen = 0

    def visit(path: bodies.Path, value: bodies.Value) -> None:
        nonlocal seen
        seen += 1

    body = BOMBS[name]()
    spent = time.process_time()
    async with responsive_loop():
        with contextlib.suppress(Unreadable, TooComplex):
            await Turns().visit(body, visit)
    spent = time.process_time() - spent
    assert seen <= bodies.MAX_VALUES
    assert spent < 10


@pytest.mark.parametrize("name", ["lists", "an image", "wide text"])
def test_a_scan_keeps_next_to_nothing(name: str) -> None:
    body = BOMBS[name]()[: MIB // 8]
    tracemalloc.start()
    with contextlib.suppress(Unreadable, TooComplex):
        for _ in bodies.scan(body):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MIB


async def test_a_slow_body_lets_another_be_read_meanwhile() -> None:
    turns, order = Turns(), list[str]()

    async def read(name: str, body: bytes) -> None:
        with contextlib.suppress(TooComplex):
            await turns.visit(body, lambda path, value: None)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(read("bomb", BOMBS["objects"]()))
        await asyncio.sleep(0)
        group.create_task(read("small", b'{"model":"m"}'))
        group.create_task(read("larger", b'{"x":[' + b'"word",' * 10_000 + b"1]}"))
    assert order == ["small", "larger", "bomb"]
