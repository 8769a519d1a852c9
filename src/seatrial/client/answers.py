"""Reads answers: JSON of the API becomes values of the domain, or BadAnswer."""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from seatrial.domain.errors import FieldProblem
from seatrial.domain.ports import QueueState
from seatrial.domain.tests import Test

from .errors import BadAnswer, mapped

T = TypeVar("T")

QUEUE = TypeAdapter(QueueState)


def read(kind: type[T] | TypeAdapter[T], body: bytes) -> T:
    """The body as a value of that kind. BadAnswer when it is not one.

    What it holds beside that is ignored: a newer server says more.
    """
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    with mapped():
        return adapter.validate_json(body, extra="ignore")


def read_test(body: bytes) -> Test:
    """A test. The API never says its owner, who is the caller: it stays empty here."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise BadAnswer(f"The server's answer is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadAnswer("The server's answer is no test.")
    with mapped():
        whole = {"owner": "", **cast("dict[str, Any]", fields)}
        return Test.model_validate(whole, extra="ignore")


def problems_of(error: ValidationError) -> tuple[FieldProblem, ...]:
    """What pydantic found wrong with a request, in our words."""
    return tuple(
        FieldProblem(".".join(str(part) for part in found["loc"]), found["msg"], found["type"])
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    )
