"""The fields of a test request as keyword arguments that editors and checkers know."""

from __future__ import annotations

from typing import TypedDict

from pydantic import ValidationError

from seatrial.domain.errors import InvalidRequest
from seatrial.domain.requests import LimitChanges, Limits, RetryChanges, TestRequest

from .answers import problems_of


class RequestFields(TypedDict, total=False):
    """`TestRequest`, field by field; a test holds the two together."""

    files: dict[str, str]
    requirements: str
    python: str | None
    model: str | None
    query: str
    entry_point: str | None
    timeout_seconds: int
    limits: Limits
    egress: tuple[str, ...]
    allow: tuple[str, ...]
    name: str | None
    credential: str | None
    webhook: str | None
    env: dict[str, str]
    secrets: dict[str, str]
    record: bool
    replay_of: str | None


class ChangeFields(TypedDict, total=False):
    """`RetryChanges`, field by field; a test holds the two together."""

    files: dict[str, str | None]
    requirements: str
    python: str
    model: str
    query: str
    entry_point: str
    timeout_seconds: int
    limits: LimitChanges
    egress: tuple[str, ...]
    allow: tuple[str, ...]
    name: str
    credential: str
    webhook: str
    env: dict[str, str | None]
    secrets: dict[str, str | None]
    record: bool
    replay: bool


def changes(fields: ChangeFields) -> RetryChanges:
    """The changes made of these fields. InvalidRequest."""
    try:
        return RetryChanges.model_validate(fields)
    except ValidationError as error:
        raise InvalidRequest(problems_of(error)) from error


def made(request: TestRequest | None, fields: RequestFields) -> TestRequest:
    """The request itself, changed by the fields; or one made of them. InvalidRequest."""
    given = {name: getattr(request, name) for name in request.model_fields_set} if request else {}
    try:
        return TestRequest.model_validate({**given, **fields})
    except ValidationError as error:
        raise InvalidRequest(problems_of(error)) from error
