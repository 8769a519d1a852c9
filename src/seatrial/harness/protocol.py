"""The one codec between harness and worker, and between runner and supervisor.

A frame on the wire is a 4-byte big-endian length and that many bytes of one JSON object in ASCII:
`{"kind": ..., "n": ..., "data": {...}}`; `n` is there for numbered frames only. The reader takes
nothing on trust: sizes, keys, types and numbers are checked, and nothing is evaluated or imported
by a name that came over the wire.
"""

import json
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, replace
from typing import (
    Any,
    Callable,
    Generic,
    Literal,
    Optional,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from .frames import (
    HARNESS_KINDS,
    NUMBERED,
    REPORT_KINDS,
    VERSION,
    WORKER_KINDS,
    Ack,
    Assign,
    Begun,
    Cancel,
    Entry,
    ErrorFrame,
    Exit,
    FileFrame,
    Frame,
    FromHarness,
    FromWorker,
    Heartbeat,
    Hello,
    Log,
    Metric,
    NoticeFrame,
    Numbered,
    Ready,
    Refused,
    Report,
    Response,
    ResultFrame,
    ResultPart,
    Welcome,
    WrittenFrame,
)

__all__ = [
    "HARNESS_KINDS",
    "MAX_FROM_HARNESS",
    "MAX_FROM_WORKER",
    "NUMBERED",
    "REPORT_KINDS",
    "VERSION",
    "WORKER_KINDS",
    "Ack",
    "Assign",
    "Begun",
    "Cancel",
    "Decoder",
    "Entry",
    "ErrorFrame",
    "Exit",
    "FileFrame",
    "Frame",
    "FromHarness",
    "FromWorker",
    "Heartbeat",
    "Hello",
    "Log",
    "Metric",
    "NoticeFrame",
    "Numbered",
    "ProtocolError",
    "Ready",
    "Refused",
    "Report",
    "Response",
    "ResultFrame",
    "ResultPart",
    "Welcome",
    "WrittenFrame",
    "encode",
    "harness_decoder",
    "join_result",
    "report_decoder",
    "split_result",
    "worker_decoder",
]

MAX_FROM_HARNESS = 1024 * 1024
"""Largest frame that a harness or a runner may send, in bytes without the length."""

MAX_FROM_WORKER = 8 * 1024 * 1024
"""Largest frame that a worker may send, in bytes without the length."""

_HEADER = struct.Struct(">I")
_LIMIT = 2**63
_PART_CHARACTERS = 64 * 1024  # 12 ASCII bytes each at worst: below the limit of a frame

F = TypeVar("F")
_Check = Callable[[object], object]


class ProtocolError(Exception):
    """The other side broke the protocol: the connection is of no more use."""


def encode(frame: Frame, n: Optional[int] = None) -> bytes:
    """Write a frame, with its number when it has one.

    Raises ProtocolError for a frame that is larger than its side may send, or that holds what
    JSON cannot say (NaN, infinity, half of a surrogate pair).
    """
    document: dict[str, object] = {"kind": frame.kind}
    if n is not None:
        document["n"] = n
    document["data"] = {item.name: getattr(frame, item.name) for item in fields(frame)}
    try:
        body = json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")
    except ValueError as error:
        raise ProtocolError("a number that JSON cannot hold") from error
    if len(body) > (MAX_FROM_WORKER if isinstance(frame, Assign) else MAX_FROM_HARNESS):
        raise ProtocolError(f"a frame of {len(body)} bytes is too large")
    return _HEADER.pack(len(body)) + body


class Decoder(Generic[F]):
    """Turns the bytes of one connection into frames of the given kinds.

    After a ProtocolError it is of no more use: where the next frame begins is unknown.
    """

    def __init__(self, kinds: Iterable[type[Frame]], max_bytes: int) -> None:
        self._kinds: dict[str, type[Frame]] = {kind.kind: kind for kind in kinds}
        self._max = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Optional[int], F]]:
        """Take bytes in; the frames that are complete now, in order, each with its number.

        Raises ProtocolError for a frame that is oversize, malformed, of an unknown kind, or has
        a missing, an extra or a wrongly typed key.
        """
        self._buffer += data
        return list(self._complete())

    def _complete(self) -> Iterator[tuple[Optional[int], F]]:
        start = 0
        try:
            while len(self._buffer) - start >= _HEADER.size:
                (size,) = _HEADER.unpack_from(self._buffer, start)
                if size > self._max:
                    raise ProtocolError(f"a frame of {size} bytes is too large")
                end = start + _HEADER.size + size
                if len(self._buffer) < end:
                    return
                body = bytes(self._buffer[start + _HEADER.size : end])
                start = end
                yield self._frame(body)
        finally:
            del self._buffer[:start]

    def _frame(self, body: bytes) -> tuple[Optional[int], F]:
        document = _object(_parse(body), "frame")
        kind = self._kinds.get(_text(document.pop("kind", None)))
        if kind is None:
            raise ProtocolError("a frame of an unknown kind")
        number = document.pop("n", None)
        if number is not None and (kind not in NUMBERED or _integer(number) < 1):
            raise ProtocolError(f"{kind.kind}: a number that is not allowed")
        data = _object(document.pop("data", None), kind.kind)
        if document:
            raise ProtocolError(f"{kind.kind}: extra keys in the frame")
        return cast("Optional[int]", number), cast("F", _build(kind, data))


def harness_decoder() -> Decoder[FromHarness]:
    """A worker's reader of what a harness sends."""
    return Decoder[FromHarness](HARNESS_KINDS, MAX_FROM_HARNESS)


def worker_decoder() -> Decoder[FromWorker]:
    """A harness's reader of what a worker sends."""
    return Decoder[FromWorker](WORKER_KINDS, MAX_FROM_WORKER)


def report_decoder() -> Decoder[Report]:
    """The supervisor's reader of what the runner reports."""
    return Decoder[Report](REPORT_KINDS, MAX_FROM_HARNESS)


def split_result(result: ResultFrame) -> list[Union[ResultPart, ResultFrame]]:
    """The frames that carry a result of any size: parts first, the ResultFrame last."""
    frames: list[Union[ResultPart, ResultFrame]] = []
    parts, response = _split("response", result.response)
    frames += parts
    value = result.value_json
    if value is not None:
        parts, value = _split("value_json", value)
        frames += parts
    frames.append(replace(result, response=response, value_json=value))
    return frames


def join_result(parts: Iterable[ResultPart], result: ResultFrame) -> ResultFrame:
    """The result that `split_result` took apart. Parts of a value that is None are dropped."""
    texts: dict[str, list[str]] = {"response": [], "value_json": []}
    for part in parts:
        texts[part.of].append(part.text)
    value = result.value_json
    return replace(
        result,
        response="".join(texts["response"]) + result.response,
        value_json=None if value is None else "".join(texts["value_json"]) + value,
    )


def _split(of: Literal["response", "value_json"], text: str) -> tuple[list[ResultPart], str]:
    """Cut a text so that its rest and the rest of the other field fit into one frame."""
    half = _PART_CHARACTERS // 2
    if len(text) <= half:
        return [], text
    cuts = range(0, len(text), _PART_CHARACTERS)
    return [ResultPart(of, text[cut : cut + _PART_CHARACTERS]) for cut in cuts], ""


def _parse(body: bytes) -> object:
    try:
        return json.loads(
            body.decode("ascii"),
            parse_int=_parse_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a frame that is no JSON") from error


def _parse_integer(digits: str) -> int:
    if len(digits) > 20:
        raise ProtocolError("a number that is too large")
    return int(digits)


def _refuse_constant(name: str) -> object:
    raise ProtocolError("a number that JSON does not have")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ProtocolError("a key that is there twice")
    return found


def _build(kind: type[Frame], data: dict[str, object]) -> Frame:
    checks, required = _CHECKS[kind]
    if not (required <= data.keys() <= checks.keys()):
        raise ProtocolError(f"{kind.kind}: keys missing or extra")
    try:
        values = {name: checks[name](value) for name, value in data.items()}
    except ProtocolError as error:
        raise ProtocolError(f"{kind.kind}: {error}") from error
    return kind(**cast("dict[str, Any]", values))


def _object(value: object, what: str) -> dict[str, object]:
    if type(value) is not dict:
        raise ProtocolError(f"{what}: not an object")
    return cast("dict[str, object]", value)


def _text(value: object) -> str:
    if type(value) is not str:
        raise ProtocolError("not a text")
    if not value.isascii() and not _is_unicode(value):
        raise ProtocolError("half of a surrogate pair")
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _integer(value: object) -> int:
    if type(value) is not int or not -_LIMIT <= value < _LIMIT:
        raise ProtocolError("not an integer of 64 bits")
    return value


def _number(value: object) -> float:
    if type(value) is not float and type(value) is not int:
        raise ProtocolError("not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ProtocolError("not a finite number")
    return number


def _boolean(value: object) -> bool:
    if type(value) is not bool:
        raise ProtocolError("not a boolean")
    return value


_PLAIN: dict[object, _Check] = {str: _text, int: _integer, float: _number, bool: _boolean}


def _check_of(annotation: object) -> _Check:
    """The check of one field's type. A KeyError here is a frame that this codec cannot carry."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _one_of(arguments)
    if origin is Union:
        return _or_none(_check_of(arguments[0]))
    if origin is list:
        return _list_of(_check_of(arguments[0]))
    if origin is dict:
        return _dict_of(_check_of(arguments[1]))
    return _PLAIN[annotation]


def _one_of(allowed: tuple[object, ...]) -> _Check:
    def check(value: object) -> object:
        if type(value) is not str or value not in allowed:
            raise ProtocolError("not one of the allowed words")
        return value

    return check


def _or_none(inner: _Check) -> _Check:
    return lambda value: None if value is None else inner(value)


def _list_of(inner: _Check) -> _Check:
    def check(value: object) -> object:
        if type(value) is not list:
            raise ProtocolError("not a list")
        return [inner(item) for item in cast("list[object]", value)]

    return check


def _dict_of(inner: _Check) -> _Check:
    def check(value: object) -> object:
        items = _object(value, "field").items()
        return {_text(key): inner(item) for key, item in items}

    return check


def _checks(kind: type[Frame]) -> tuple[dict[str, _Check], frozenset[str]]:
    items = fields(kind)
    required = frozenset(
        item.name for item in items if item.default is MISSING and item.default_factory is MISSING
    )
    return {item.name: _check_of(item.type) for item in items}, required


_CHECKS = {kind: _checks(kind) for kind in (*HARNESS_KINDS, *WORKER_KINDS)}
