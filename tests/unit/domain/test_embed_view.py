"""What an embed token reads is a list of what passes: canaries in everything else stay behind."""

from __future__ import annotations

import re
import types
import typing
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from seatrial.domain.embed_view import as_embedded, embedded_events
from seatrial.domain.events import Event, EventData
from seatrial.domain.failures import CATALOGUE
from seatrial.domain.tests import Test

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CANARY = re.compile(r"canary\.([a-z_.]+)")

KINDS = get_args(get_args(EventData)[0])
"""Every kind of event that a journal may hold."""

PASSES: dict[str, set[str]] = {
    "phase": set(),
    "queue": set(),
    "log": set(),
    "response": {"text"},
    "metric": set(),
    "model_call": {"provider", "model", "operation", "error"},
    "notice": set(),
    "result": {"result.response", "result.value"},
    "failure": set(),
    "cleanup": set(),
}
"""The free texts of each kind that a page of another origin may read."""

TEST_PASSES = {
    "id",
    "name",
    "request.query",
    "request.name",
    "request.model",
    "result.response",
    "result.value",
}


def filled(shape: Any, path: str) -> Any:
    """A value of that type with a canary, named by its path, in every text it can hold."""
    origin, args = get_origin(shape), get_args(shape)
    if origin is typing.Annotated:
        return filled(args[0], path)
    if origin in {typing.Union, types.UnionType}:
        return filled(next(each for each in args if each is not type(None)), path)
    if origin is Literal:
        return args[-1]
    if origin is dict:
        return {f"canary.{path}.key": filled(args[1], path)}
    if origin is tuple:
        return (filled(args[0], path),)
    if shape is Any:
        return f"canary.{path}"
    if not isinstance(shape, type):
        raise TypeError(shape)
    return filled_class(shape, path)


def filled_class(shape: type[Any], path: str) -> Any:
    if issubclass(shape, BaseModel):
        hints = typing.get_type_hints(shape, include_extras=True)
        fields = {
            name: filled(hints[name], f"{path}.{name}".lstrip(".")) for name in shape.model_fields
        }
        return shape.model_construct(**fields)
    if issubclass(shape, Enum):
        return next(iter(shape))
    if shape is datetime:
        return NOW
    return f"canary.{path}" if shape is str else shape(1)


def read(data: Any) -> set[str]:
    """The canaries that an embed token reads in an event."""
    shown = embedded_events([Event.model_construct(number=1, at=NOW, data=data)])
    return set(CANARY.findall("".join(each.model_dump_json() for each in shown)))


def whole(kind: type[BaseModel], **fields: Any) -> Any:
    made = filled(kind, "")
    if getattr(made, "failure", None) is not None:
        failure = made.failure.model_copy(update={"code": "dependencies.not_found"})
        made = made.model_copy(update={"failure": failure})
    return made.model_copy(update=fields)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_of_each_kind_only_what_is_listed_passes(kind: type[BaseModel]) -> None:
    data = whole(kind)
    assert CANARY.search(data.model_dump_json()) or data.kind in {"phase", "metric"}
    assert read(data) == PASSES[data.kind]


def test_every_kind_of_event_has_its_line_here() -> None:
    assert {kind.model_fields["kind"].default for kind in KINDS} == set(PASSES)


@pytest.mark.parametrize(
    ("stream", "passes"), [("stdout", True), ("stderr", True), ("build", False), ("system", False)]
)
def test_of_the_log_the_agents_output_alone_passes(stream: str, passes: bool) -> None:
    log = next(kind for kind in KINDS if kind.__name__ == "LogEvent")
    assert read(whole(log, stream=stream)) == ({"text"} if passes else set())


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_failure_keeps_its_own_words_only_where_the_output_has_them(code: str) -> None:
    kind = next(kind for kind in KINDS if kind.__name__ == "FailureEvent")
    made = filled(kind, "")
    data = made.model_copy(update={"failure": made.failure.model_copy(update={"code": code})})
    told_by_the_gateway = {"agent.host_not_allowed", "agent.reach_not_allowed", "agent.secret_sent"}
    own = code.startswith("agent.") and code not in told_by_the_gateway
    assert read(data) == ({"failure.message", "failure.evidence"} if own else set())


def test_of_the_test_itself_only_what_is_listed_passes() -> None:
    shown = as_embedded(whole(Test)).model_dump_json()
    assert set(CANARY.findall(shown)) == TEST_PASSES


def test_an_unknown_kind_and_an_unknown_field_do_not_pass() -> None:
    class Later(BaseModel):
        kind: str = "later"
        text: str = "canary.text"

    response = next(kind for kind in KINDS if kind.__name__ == "ResponseEvent")

    class Longer(response):
        more: str = "canary.more"

    assert read(Later()) == set()
    assert read(Longer(text="x")) == set()
