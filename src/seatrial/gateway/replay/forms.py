"""A call in the form in which it is compared with a recorded one. Pure.

Two calls are the same when they ask the model the same. What changes from run to run without
meaning anything to the model is left out:

- the order of names in JSON objects, and whether a whole number is written `1` or `1.0`;
- ids of tool calls, answers and messages, which frameworks make up at random: each becomes its
  place in the order of first mention, so which result belongs to which call still counts;
- fields that by their services' documentation name the caller and not the question.

Dates are compared: a prompt that holds the time asks something else at another time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from seatrial.domain.recordings import RecordedCall

KEPT_HEADERS = frozenset({"anthropic-version", "anthropic-beta", "openai-beta"})
"""Headers that mean something to the service; all others are the SDK's and the connection's."""

_KEPT_PREFIX = "x-amzn-bedrock-"
_IDS = frozenset({"tool_call_id", "call_id", "tool_use_id", "toolUseId"})
_NAMED_BY_TYPE = frozenset({"type", "function"})
_ARGUMENTS = frozenset({"input", "arguments", "args"})
_OF_THE_CALLER = frozenset(
    {"metadata", "prompt_cache_key", "requestMetadata", "safety_identifier", "user"}
)


@dataclass(frozen=True)
class Form:
    """One call, comparable. Calls with the same `key` ask the same."""

    provider: str
    operation: str
    parts: Mapping[str, Any]
    key: str


def form_of(call: RecordedCall) -> Form:
    """The form of a recorded call."""
    return make_form(
        call.provider,
        call.operation,
        method=call.method,
        path=call.path,
        query=call.query,
        headers=call.headers,
        body=call.body,
    )


def make_form(
    provider: str,
    operation: str,
    *,
    method: str,
    path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> Form:
    """The form of a call of these parts."""
    parts: dict[str, Any] = {
        "method": method,
        "path": unquote(path),
        "query": sorted(parse_qsl(query, keep_blank_values=True)),
        "headers": sorted(kept_headers(headers)),
        "body": _read(body),
    }
    written = json.dumps([provider, operation, parts], sort_keys=True)
    return Form(provider, operation, parts, hashlib.sha256(written.encode()).hexdigest())


def kept_headers(given: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers that are recorded and compared, names in lower case."""
    lowered = ((name.lower(), value) for name, value in given)
    return tuple(
        (name, value)
        for name, value in lowered
        if name in KEPT_HEADERS or name.startswith(_KEPT_PREFIX)
    )


def _read(body: bytes) -> Any:
    """The body's meaning; one that is no JSON stands for itself."""
    if not body:
        return None
    try:
        value = json.loads(body)
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value).items()
            value = {name: item for name, item in fields if name not in _OF_THE_CALLER}
        return _Normaliser().of(value)
    except (ValueError, RecursionError):
        return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


class _Normaliser:
    """Writes a JSON value without what means nothing."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def of(self, value: Any, *, arguments: bool = False) -> Any:
        """The value as it is compared. In a tool's `arguments` an id is what the model said."""
        if isinstance(value, dict):
            return self._object(cast("dict[str, Any]", value), arguments=arguments)
        if isinstance(value, list):
            return [self.of(item, arguments=arguments) for item in cast("list[Any]", value)]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    def _object(self, value: dict[str, Any], *, arguments: bool) -> dict[str, Any]:
        named: dict[str, Any] = {}
        # In the order of names: ids get their numbers by it.
        for name in sorted(value):
            item = value[name]
            if not arguments and isinstance(item, str) and _is_id(name, value):
                named[name] = self._ids.setdefault(item, f"id {len(self._ids) + 1}")
            else:
                inner = arguments or (name in _ARGUMENTS and isinstance(item, dict))
                named[name] = self.of(item, arguments=inner)
        return named


def _is_id(name: str, beside: Mapping[str, Any]) -> bool:
    return name in _IDS or (name == "id" and not _NAMED_BY_TYPE.isdisjoint(beside))
