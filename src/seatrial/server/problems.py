"""Every error as an `application/problem+json` answer (RFC 9457)."""

from __future__ import annotations

import http
import itertools
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from seatrial.domain.errors import (
    AttemptLost,
    Conflict,
    FailureError,
    FieldProblem,
    InvalidRequest,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PlatformError,
    PullDiskFull,
    PullFailed,
    PullUnknownModel,
    QueueFull,
    SeatrialError,
    StreamsFull,
    StreamsShareFull,
)

_LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Sent with every answer that does not set them itself."""


class Problem(BaseModel):
    """What went wrong (RFC 9457).

    `code` is stable, for programs; `detail` and `hint` are for people. `errors` names the fields
    that break a rule. `incident` finds the trace of a defect in the server's log.
    """

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="`urn:seatrial:` and the code.")
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    errors: tuple[FieldProblem, ...] = ()
    retry_after_seconds: int | None = None
    incident: str | None = None


_STATUS: tuple[tuple[type[SeatrialError], int], ...] = (
    (InvalidRequest, 422),
    (NotFound, 404),
    (Conflict, 409),
    (NotAuthenticated, 401),
    (NotAllowed, 403),
    (QueueFull, 429),
    (StreamsShareFull, 429),
    (PullUnknownModel, 404),
    (PullDiskFull, 507),
    (PullFailed, 502),
    (FailureError, 409),
    (AttemptLost, 409),
)
"""The status of each kind of error; platform faults are 503, since trying again may help."""

_MAX_PROBLEMS = 100
"""How many fields an answer names."""

_FRAMEWORK_CODES = {
    400: "request.malformed",
    404: "not_found",
    405: "method_not_allowed",
    408: "request.timeout",
    413: "request.too_large",
}


def problem_answer(
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    errors: Sequence[FieldProblem] = (),
    retry_after_seconds: int | None = None,
    incident: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says so."""
    problem = _problem(
        status,
        code,
        detail,
        hint=hint,
        errors=tuple(errors),
        retry_after_seconds=retry_after_seconds,
        incident=incident,
    )
    return _answer(problem, headers or {})


def problem_of(error: SeatrialError) -> Problem:
    """An error of ours as its problem, for where an answer has begun already."""
    return _problem(
        next((status for kind, status in _STATUS if isinstance(error, kind)), 503),
        error.failure.code if isinstance(error, FailureError) else error.code,
        error.message,
        hint=error.hint,
        errors=error.problems if isinstance(error, InvalidRequest) else (),
        retry_after_seconds=_retry_after(error),
    )


def _retry_after(error: SeatrialError) -> int | None:
    return error.retry_after_seconds if isinstance(error, QueueFull | StreamsFull) else None


def _problem(status: int, code: str, detail: str, **more: Any) -> Problem:
    title = http.HTTPStatus(status).phrase
    return Problem(
        type=f"urn:seatrial:{code}", title=title, status=status, detail=detail, code=code, **more
    )


def _answer(problem: Problem, headers: Mapping[str, str]) -> Response:
    return JSONResponse(
        problem.model_dump(mode="json"),
        status_code=problem.status,
        headers={**SECURITY_HEADERS, **headers},
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app`, ours and the framework's, as a problem."""
    app.add_exception_handler(SeatrialError, _ours)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _defect)


async def _ours(_: Request, error: Exception) -> Response:
    return error_answer(cast("SeatrialError", error))


def error_answer(error: SeatrialError) -> Response:
    """An error of ours as its answer."""
    if type(error) is PlatformError:
        return _defect_answer(error)
    problem = problem_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    return _answer(problem, headers)


async def _framework(_: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    code = _FRAMEWORK_CODES.get(error.status_code, f"http.{error.status_code}")
    return problem_answer(error.status_code, code, str(error.detail), headers=error.headers)


async def _defect(_: Request, error: Exception) -> Response:
    return _defect_answer(error)


def _defect_answer(error: Exception) -> Response:
    """An error that nobody expected: ours, whatever caused it. Its text stays in the log."""
    incident = secrets.token_hex(6)
    _LOG.error("incident %s", incident, exc_info=error)
    return problem_answer(
        500,
        "platform.internal",
        "Seatrial itself failed.",
        hint=f"Retry; if it happens again, report the incident {incident}.",
        incident=incident,
    )


async def _unreadable(request: Request, error: Exception) -> Response:
    error = cast("RequestValidationError", error)
    found_all = itertools.islice(error.errors(), _MAX_PROBLEMS)
    problems = [_field_problem(found, error.body) for found in found_all]
    if "/credentials/" in request.url.path:
        # Even the names of unknown fields stay out: a secret may stand where a name should.
        problems = [
            replace(one, field="body") if one.code == "extra_forbidden" else one for one in problems
        ]
    detail = "; ".join(f"{problem.field}: {problem.message}" for problem in problems[:5])
    return problem_answer(422, InvalidRequest.code, detail, errors=problems)


def _field_problem(found: Mapping[str, Any], body: object) -> FieldProblem:
    """What the framework found, in our words. Never repeats the input."""
    place: tuple[str | int, ...] = found["loc"]
    if found["type"] == "json_invalid":
        return _json_problem(place, found, body)
    field, file = _field_name(place)
    return FieldProblem(field, str(found["msg"]), str(found["type"]), file=file)


def _field_name(place: Sequence[str | int]) -> tuple[str, str | None]:
    """`("body", "limits", "memory_mb")` is `limits.memory_mb`; a path is no part of the name."""
    _, *parts = place if len(place) > 1 else ("", *place)
    if parts[0] == "files":
        return "files", str(parts[1])[:300] if len(parts) > 1 else None
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return name.removeprefix("."), None


def _json_problem(
    place: Sequence[str | int], found: Mapping[str, Any], body: object
) -> FieldProblem:
    offset = place[-1]
    reason = found.get("ctx", {}).get("error", "it cannot be read")
    message = f"The body is not valid JSON: {reason}."
    if not (isinstance(body, str) and isinstance(offset, int)):
        return FieldProblem("body", message, "json_invalid")
    before = body[:offset]
    line, column = before.count("\n") + 1, offset - before.rfind("\n")
    return FieldProblem("body", message, "json_invalid", line=line, column=column)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These error answers for a route's description."""
    return {
        status: {
            "description": http.HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def schemas() -> dict[str, Any]:
    """The schema of `Problem` and of what it holds, for the description of the API."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = schema.pop("$defs", {})
    return {"Problem": schema, **parts}
