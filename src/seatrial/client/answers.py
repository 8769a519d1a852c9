"""Reads answers: JSON of the API becomes values of the domain, or BadAnswer."""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from seatrial.domain.errors import FieldProblem
from seatrial.domain.events import Event
from seatrial.domain.ports import EnvironmentInfo, ProviderState, QueueState
from seatrial.domain.tests import Test, TestPage

from .errors import BadAnswer, mapped

T = TypeVar("T")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problems(_Answer):
    """What `POST /validate` finds."""

    problems: tuple[FieldProblem, ...] = ()


class EventPage(_Answer):
    """A piece of a journal, in order."""

    events: tuple[Event, ...]


class ProviderList(_Answer):
    """Every configured provider."""

    providers: tuple[ProviderState, ...]


class ModelList(_Answer):
    """Names of one provider's models."""

    models: tuple[str, ...]


class EnvironmentList(_Answer):
    """The environment cache, most recently used first."""

    environments: tuple[EnvironmentInfo, ...]


class Cleared(_Answer):
    """How many tests were removed."""

    removed: int


class Pruned(_Answer):
    """How many bytes were given back."""

    freed_bytes: int


QUEUE = TypeAdapter(QueueState)
PAGE = TypeAdapter(TestPage)


def read(kind: type[T] | TypeAdapter[T], body: bytes) -> T:
    """The body as a value of that kind. BadAnswer when it is not one."""
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    with mapped():
        return adapter.validate_json(body)


def read_test(body: bytes) -> Test:
    """A test. The API never says its owner, who is the caller: it stays empty here."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise BadAnswer(f"The server's answer is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadAnswer("The server's answer is no test.")
    with mapped():
        return Test.model_validate({"owner": "", **cast("dict[str, Any]", fields)})


def problems_of(error: ValidationError) -> tuple[FieldProblem, ...]:
    """What pydantic found wrong with a request, in our words."""
    return tuple(
        FieldProblem(".".join(str(part) for part in found["loc"]), found["msg"], found["type"])
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    )
