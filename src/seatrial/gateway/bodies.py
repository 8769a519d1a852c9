"""JSON bodies of calls, read member by member without building them.

A body of 32 MiB can hold ten million lists. Parsed as a whole it costs a gigabyte of memory and
stops the event loop for seconds; here it costs bounded time and memory, in slices.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn, cast

MAX_VALUES = 200_000
"""Values of one body that are visited."""

MAX_NUMBERS = 1_000_000
"""Numbers in arrays of one body."""

MAX_DEPTH = 100
"""Objects and arrays within each other, the body itself included."""

MAX_NAME = 1_000
"""Characters of a member's name."""

MAX_NUMBER = 1_000
"""Bytes of a number. A longer one makes a body unreadable: no two parsers agree on it."""

MAX_TEXT = 8_192
"""Characters of a string that is visited as a string; a longer one is visited as LongText."""

BEGINNING = 1_024
"""Characters of a longer string that are visited."""

SLICE_SECONDS = 0.004
"""Work on bodies after which the event loop is given back."""

DIRECT_BYTES = 64 * 1024
"""Bytes of a body that is small enough to be parsed at once."""


class Marker(Enum):
    """Stands for a value that is visited member by member."""

    OBJECT = "object"
    ARRAY = "array"


@dataclass(frozen=True)
class LongText:
    """A string of more than MAX_TEXT characters: the first BEGINNING of them."""

    beginning: str


Value = str | int | float | bool | LongText | Marker | None
Path = tuple[str | int, ...]
"""The names and indexes that lead to a value, outermost first."""

Visit = Callable[[Path, Value], None]
Member = tuple[Path, Value]


class Unreadable(Exception):
    """The body is not one JSON object in UTF-8."""


class TooComplex(Exception):
    """The body exceeds a limit. The text says which and what to do."""


class Turns:
    """Shares the event loop among all bodies that are read in slices.

    At most one slice runs per pass of the event loop, however many bodies there are.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def visit(self, body: bytes, visit: Visit) -> None:
        """Visit every member of the body in document order, in slices of SLICE_SECONDS.

        A body up to DIRECT_BYTES is read in one slice. Members may have been visited when it
        raises, so act on nothing before it returns.

        Raises: Unreadable, TooComplex.
        """
        if len(body) <= DIRECT_BYTES:
            for path, value in members(body):
                visit(path, value)
            return
        steps = scan(body)
        while True:
            async with self._turn:
                if _slice(steps, visit):
                    return
                # As long as the slice took: other work gets at least half of the loop.
                await asyncio.sleep(SLICE_SECONDS)


def members(body: bytes) -> Iterator[Member]:
    """Every member of a body in document order: a path and a scalar or a Marker.

    Doubled names are visited each time. Numbers in arrays are checked and counted, not
    visited. Cost is linear, without a pause: use `Turns.visit` for bodies of foreign size.

    Raises: Unreadable, TooComplex.
    """
    root = _parsed(body) if len(body) <= DIRECT_BYTES else None
    if root is not None:
        found = _walked(root)
        if found is not None:
            return iter(found)
    # What the quick way refuses, for whatever reason, gets its verdict from the one scanner.
    return (member for member in scan(body) if member is not None)


def scan(body: bytes) -> Iterator[Member | None]:
    """What `members` yields, with None after every piece of work that led to no member.

    Each step costs less than a millisecond.
    """
    yield from _utf8(body)
    yield from _Scanner(body).run()


def _slice(steps: Iterator[Member | None], visit: Visit) -> bool:
    """Work for SLICE_SECONDS; whether the body has ended."""
    ends = time.perf_counter() + SLICE_SECONDS
    for number, member in enumerate(steps):
        if member is not None:
            visit(*member)
        if not number & 15 and time.perf_counter() >= ends:
            return False
    return True


# ---------------------------------------------------------------------- the quick way


class _Pairs(tuple[tuple[str, Any], ...]):
    """The members of an object, doubled names and all."""

    __slots__ = ()


def _number(text: str) -> int | float:
    if len(text) > MAX_NUMBER:
        raise ValueError
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_float=_number, parse_int=_number, parse_constant=_constant
)


def _parsed(body: bytes) -> _Pairs | None:
    try:
        root = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        return None
    return root if isinstance(root, _Pairs) else None


def _walked(root: _Pairs) -> list[Member] | None:
    """Every member of a small body, None when it exceeds a limit."""
    found: list[Member] = []
    open_: list[tuple[Path, Iterator[tuple[str | int, Any]]]] = [((), iter(root))]
    while open_:
        path, rest = open_[-1]
        for name, value in rest:
            if isinstance(name, str) and len(name) > MAX_NAME:
                return None
            below = (*path, name)
            if isinstance(value, list | _Pairs):
                found.append(_container(below, value))
                open_.append((below, _items(value)))
                break
            if isinstance(name, str) or not _is_number(value):
                found.append((below, _short(value)))
        else:
            open_.pop()
        if len(open_) > MAX_DEPTH:
            return None
    return found


def _container(path: Path, value: Any) -> Member:
    return path, Marker.OBJECT if isinstance(value, _Pairs) else Marker.ARRAY


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    return iter(value) if isinstance(value, _Pairs) else enumerate(cast("list[Any]", value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> Value:
    return _text(value) if isinstance(value, str) else cast("Value", value)


def _text(value: str) -> str | LongText:
    return LongText(value[:BEGINNING]) if len(value) > MAX_TEXT else value


# ---------------------------------------------------------------------- the scanner

_PIECE = 64 * 1024
"""Bytes that are looked at in one step."""

_LONGEST_ESCAPED = 12
"""Bytes by which one character may be written: two escapes of half a character."""

_WORDS = {b"true": True, b"false": False, b"null": None}
_END = {Marker.OBJECT: b"}", Marker.ARRAY: b"]"}

# Every repetition is possessive or bounded: a match costs one look at each byte.
_WS = rb"[ \t\n\r]{0,64}+"
_ESCAPE = rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_SHORT_STRING = rb'"((?:[^"\\\x00-\x1f]{1,1024}+|%b){0,32}+)"' % _ESCAPE
_NUM = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_SHORT_NUM = rb"-?(?:0|[1-9][0-9]{0,30}+)(?:\.[0-9]{1,30}+)?(?:[eE][+-]?[0-9]{1,3}+)?"
_ANY = rb"(?:(?:%b|(%b)(?![0-9.eE+-])|(true|false|null))%b(,)?|([{\[]))" % (
    _SHORT_STRING,
    _NUM,
    _WS,
)
_SPACES = re.compile(rb"[ \t\n\r]*+")
_VALUE = re.compile(_ANY)
_MEMBER = {
    Marker.OBJECT: re.compile(rb"%b%b%b:%b%b" % (_WS, _SHORT_STRING, _WS, _WS, _ANY)),
    Marker.ARRAY: re.compile(rb"%b()%b" % (_WS, _ANY)),
}
"""A short member: name, string, number, word, the comma behind one of these, bracket."""

_NEXT = re.compile(rb"%b(?:(,)|([}\]])%b(,)?)" % (_WS, _WS))
_STRING = re.compile(rb'(?:[^"\\\x00-\x1f]++|%b)*+' % _ESCAPE)
_NUMBERS = re.compile(rb"%b(?:%b%b,%b)++" % (_WS, _SHORT_NUM, _WS, _WS))

_Steps = Generator[Member | None, None, None]


def _utf8(body: bytes) -> _Steps:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _PIECE):
            decoder.decode(body[start : start + _PIECE], final=start + _PIECE >= len(body))
            yield None
    except UnicodeDecodeError:
        raise Unreadable from None


class _Scanner:
    """One pass over a body that is UTF-8."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0
        self._visited = 0
        self._numbered = 0
        self._kind: Marker = Marker.OBJECT
        self._path: Path = ()
        self._index = 0
        self._outer: list[tuple[Marker, Path, int]] = []
        self._depth = 0
        self._behind_value = False
        self._found: Member | None = None

    def run(self) -> _Steps:
        """See `scan`."""
        yield from self._spaces()
        if self._body[self._at : self._at + 1] != b"{":
            raise Unreadable
        self._at += 1
        self._enter(Marker.OBJECT, ())
        while self._depth:
            self._found = None
            if not (self._next() if self._behind_value else self._short_member()):
                yield from self._slow_step()
            if self._found is not None:
                yield self._found
        yield from self._spaces()
        if self._at < len(self._body):
            raise Unreadable

    def _short_member(self) -> bool:
        """Read a member that is one match. False, with nothing changed, when it is none."""
        at = self._at
        match = _MEMBER[self._kind].match(self._body, at, at + _PIECE)
        if match is None:
            return not self._index and self._next(may_go_on=False)
        name, *value = match.groups()
        if self._kind is Marker.OBJECT:
            self._take(self._named(name), match.end(), value)
        elif value[1] is None or not self._numbers():
            self._take(self._index, match.end(), value)
        return True

    def _take(self, name: str | int, end: int, value: Sequence[bytes | None]) -> None:
        """Note one value that ends there."""
        path = (*self._path, name)
        self._at = end
        self._index += 1
        self._visited += 1
        if self._visited > MAX_VALUES:
            raise _too_many(MAX_VALUES, "values")
        text, number, word, comma, bracket = value
        self._behind_value = comma is None
        if text is not None:
            self._found = path, _text(_decoded(text))
        elif bracket is not None:
            kind = Marker.OBJECT if bracket == b"{" else Marker.ARRAY
            self._found = path, kind
            self._enter(kind, path)
        elif word is not None:
            self._found = path, _WORDS[word]
        elif number is not None and len(number) > MAX_NUMBER:
            raise Unreadable
        elif number is not None and isinstance(name, str):
            self._found = path, _number(number.decode())

    def _next(self, *, may_go_on: bool = True) -> bool:
        """Read a comma or the end of the container. False, with nothing changed, for neither."""
        match = _NEXT.match(self._body, self._at)
        if match is None or (match[1] and not may_go_on):
            return False
        comma, bracket, comma_behind = match.groups()
        if bracket is not None:
            self._leave(bracket)
        self._behind_value = comma is None and comma_behind is None
        self._at = match.end()
        return True

    def _numbers(self) -> bool:
        """Pass over elements that are plain numbers, as far as another element follows."""
        match = _NUMBERS.match(self._body, self._at, self._at + _PIECE)
        if match is None:
            return False
        count = match[0].count(b",")
        self._at = match.end()
        self._index += count
        self._numbered += count
        if self._numbered > MAX_NUMBERS:
            raise _too_many(MAX_NUMBERS, "numbers")
        return True

    def _enter(self, kind: Marker, path: Path) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooComplex(
                f"The call's body nests deeper than {MAX_DEPTH} levels. Send flatter JSON."
            )
        self._outer.append((self._kind, self._path, self._index))
        self._kind, self._path, self._index = kind, path, 0
        self._behind_value = False

    def _leave(self, bracket: bytes) -> None:
        if bracket != _END[self._kind]:
            raise Unreadable
        self._depth -= 1
        self._kind, self._path, self._index = self._outer.pop()

    # ------------------------------------------------------------------ long pieces

    def _slow_step(self) -> _Steps:
        """Read the next step piece by piece: long blanks, long strings, or what is no JSON."""
        yield from self._spaces()
        if self._behind_value:
            if not self._next():
                raise Unreadable
        elif self._index or not self._next(may_go_on=False):
            yield from self._long_member()

    def _long_member(self) -> _Steps:
        name: str | int = self._index
        if self._kind is Marker.OBJECT:
            name = yield from self._long_name()
        yield from self._spaces()
        match = _VALUE.match(self._body, self._at, self._at + _PIECE)
        if match is not None:
            self._take(name, match.end(), match.groups())
            return
        value = yield from self._long_string(MAX_TEXT)
        self._take(name, self._at, (None,) * 5)
        self._found = (*self._path, name), value

    def _long_name(self) -> Generator[None, None, str]:
        name = yield from self._long_string(MAX_NAME)
        if isinstance(name, LongText):
            raise _long_name()
        yield from self._spaces()
        if self._body[self._at : self._at + 1] != b":":
            raise Unreadable
        self._at += 1
        return name

    def _named(self, raw: bytes) -> str:
        name = _decoded(raw)
        if len(name) > MAX_NAME:
            raise _long_name()
        return name

    def _long_string(self, limit: int) -> Generator[None, None, str | LongText]:
        """A string; its beginning when it has more than that many characters."""
        body = self._body
        if body[self._at : self._at + 1] != b'"':
            raise Unreadable
        start = self._at = self._at + 1
        while body[self._at : self._at + 1] != b'"':
            match = _STRING.match(body, self._at, self._at + _PIECE)
            if match is None or match.end() == self._at:
                raise Unreadable
            self._at = match.end()
            yield None
        end, self._at = self._at, self._at + 1
        if end - start > limit * _LONGEST_ESCAPED:
            return LongText(_beginning(body[start : start + _LONGEST_ESCAPED * (BEGINNING + 1)]))
        text = _decoded(body[start:end])
        return LongText(text[:BEGINNING]) if len(text) > limit else text

    def _spaces(self) -> Generator[None, None, None]:
        """Pass over blanks."""
        body = self._body
        while match := _SPACES.match(body, self._at, self._at + _PIECE):
            if match.end() == self._at:
                return
            self._at = match.end()
            yield None


def _too_many(limit: int, what: str) -> TooComplex:
    return TooComplex(f"The call's body holds more than {limit:,} {what}. Send less in one call.")


def _long_name() -> TooComplex:
    return TooComplex(
        f"The call's body has a name of more than {MAX_NAME:,} characters. Use shorter names."
    )


def _beginning(raw: bytes) -> str:
    """The first characters of a string that was cut anywhere."""
    match = _STRING.match(raw)
    assert match is not None
    whole = match[0].decode("utf-8", "ignore").encode()
    return _decoded(whole)[:BEGINNING]


def _decoded(raw: bytes) -> str:
    return json.loads(b'"%b"' % raw) if b"\\" in raw else raw.decode()
