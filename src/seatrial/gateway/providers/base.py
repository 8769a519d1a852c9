"""What a provider is to the gateway: a value made of pure functions.

A provider's file says where its paths are, which of them an agent may use, where the model's
name stands in a call, how the key is put on, how usage is read from an answer and in which
shape an error is written so that the provider's own SDK shows it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from seatrial.gateway.reach.shapes import Node
from seatrial.gateway.reach.wire import Wire

if TYPE_CHECKING:
    from seatrial.gateway.sigv4 import Sent

JsonObject = Mapping[str, Any]
"""A JSON object as it was parsed. Its values are foreign data: narrow them before use."""


@dataclass(frozen=True)
class Reading:
    """What one object of an answer tells. None means that it does not say.

    `complete` is True in the object with which the protocol ends a stream; `error` is the
    provider's own message when the object reports an error, `error_code` the entry of the
    failure catalogue when the object says more than that the provider failed.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    complete: bool = False
    error: str | None = None
    error_code: str | None = None


@dataclass(frozen=True)
class Facts:
    """An answer with an error status: its headers and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    head: bytes


Read = Callable[[JsonObject], Reading]


def _no_ids(value: JsonObject) -> Iterable[str]:
    return ()


NO_BODY = Node(closed="body")
"""The description of an operation that takes none."""


@dataclass(frozen=True)
class Operation:
    """One thing that an agent may ask a provider for.

    `path` is the path under the upstream's base URL and begins with a slash. A `counted`
    operation is a model call; others are metadata. The model's name stands in the body's
    `model_fields` or, when `path_model` is given, in the path. The answer to one that
    `lists_models` is cut down to the models that the test names. `body` describes what may
    stand in the call's body; `ids` finds, in one object of an answer, what a later call of the
    same test may refer to.
    """

    name: str
    path: str
    read: Read
    counted: bool = True
    model_fields: tuple[str, ...] = ()
    path_model: str | None = None
    lists_models: bool = False
    body: Node = NO_BODY
    ids: Callable[[JsonObject], Iterable[str]] = _no_ids


def _no_headers(status: int) -> Mapping[str, str]:
    return {}


def _by_status(facts: Facts) -> str | None:
    return None


def _nothing(headers: Mapping[str, str]) -> Reading:
    return Reading()


def _anybody(sent: Sent) -> str | None:
    return None


@dataclass(frozen=True)
class Provider:
    """A kind of model service.

    `find` takes method and path as the agent sent them, without prefix and query, and gives
    None for whatever an agent may not ask. Paths are compared raw: nothing is unescaped or
    normalised before, so no other spelling of a path gets through.
    """

    name: str
    find: Callable[[str, str], Operation | None]
    canonical: Callable[[str], str]
    """The one spelling of a model's name that stands for all its spellings."""
    key_headers: Callable[[str], Mapping[str, str]]
    error_body: Callable[[str, str, str], JsonObject]
    """(path, message, code) to the provider's own shape of an error."""
    keep_models: Callable[[JsonObject, Callable[[str], bool]], JsonObject]
    """A listing without the models for which the predicate says no."""
    private_headers: frozenset[str] = frozenset()
    """Lower-case names of headers that belong to the credential and never pass from an agent."""
    error_headers: Callable[[int], Mapping[str, str]] = _no_headers
    """What an error of that status has in its headers, beside the body."""
    of_answer: Callable[[Facts], str | None] = _by_status
    """The catalogue entry of an error; None when its status says all."""
    read_headers: Callable[[Mapping[str, str]], Reading] = _nothing
    """Usage that stands in an answer's headers; that of the body counts more."""
    check_agent: Callable[[Sent], str | None] = _anybody
    """Why a call is refused for its own credential; None when it is not."""
    wire: Wire = field(default_factory=Wire)
    """Which headers its operations take."""


def model_path(before: str, model: str) -> str:
    """The path of one model. Its name is one segment, whatever characters it has.

    >>> model_path("/models/", "a/../b")
    '/models/a%2F..%2Fb'
    """
    return before + quote(model, safe="")


def tokens(usage: JsonObject, *names: str) -> int | None:
    """The first of the named counts that is a plausible number."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
            return value
    return None


def nested(value: JsonObject, name: str) -> JsonObject:
    """The object under that name, empty when there is none."""
    found = value.get(name)
    return cast("JsonObject", found) if isinstance(found, dict) else {}


def error_text(value: JsonObject) -> str | None:
    """The message of an error object as both Ollama and OpenAI write it."""
    error = value.get("error")
    if isinstance(error, str):
        return error
    message = nested(value, "error").get("message")
    return message if isinstance(message, str) else None


def kept(
    listing: JsonObject, field: str, names: Collection[str], allowed: Callable[[str], bool]
) -> JsonObject:
    """The listing with those items of `field` that carry an allowed name in one of `names`."""
    items = listing.get(field)
    entries = cast("list[Any]", items) if isinstance(items, list) else []
    return {**listing, field: [item for item in entries if _named(item, names, allowed)]}


def _named(item: Any, names: Collection[str], allowed: Callable[[str], bool]) -> bool:
    if not isinstance(item, dict):
        return False
    values = [cast("JsonObject", item).get(name) for name in names]
    given = [value for value in values if isinstance(value, str)]
    return bool(given) and all(allowed(value) for value in given)


def merged(earlier: Reading, later: Reading) -> Reading:
    """Both together. A later count replaces an earlier one: streams report running totals."""
    return Reading(
        input_tokens=earlier.input_tokens if later.input_tokens is None else later.input_tokens,
        output_tokens=earlier.output_tokens if later.output_tokens is None else later.output_tokens,
        complete=earlier.complete or later.complete,
        error=later.error or earlier.error,
        error_code=later.error_code or earlier.error_code,
    )


_SMALL = 64 * 1024
_MAX_CONTAINERS = 50_000
_MAX_COMMAS = 500_000


def _is_cheap(data: bytes) -> bool:
    """Whether parsing takes well under the event loop's limit. Counting is quick and never less."""
    if len(data) <= _SMALL:
        return True
    containers = data.count(b"[") + data.count(b"{")
    return containers <= _MAX_CONTAINERS and data.count(b",") <= _MAX_COMMAS


def parse_object(data: bytes) -> JsonObject | None:
    """The JSON object in UTF-8, or None when it is anything else or too complex to be read."""
    if not _is_cheap(data):
        return None
    if not data.startswith(b"{") and not data.lstrip().startswith(b"{"):
        return None
    try:
        value: Any = json.loads(data.decode())
    except (ValueError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None
