"""Errors of the HTTP library and of the server, as the client's callers see them."""

from __future__ import annotations

import inspect
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.client.errors import HTTPX, BadAnswer, ServerUnreachable, answered, mapped
from seatrial.domain.errors import (
    Conflict,
    FieldProblem,
    InvalidRequest,
    NoCapacity,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PlatformError,
    QueueFull,
    SeatrialError,
)


def test_every_exception_class_of_httpx_is_in_the_table() -> None:
    own = {
        value
        for value in vars(httpx).values()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert own == set(HTTPX)


@pytest.mark.parametrize("kind", list(HTTPX))
def test_whatever_httpx_raises_leaves_as_an_error_of_ours(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, "it went wrong")
    with pytest.raises(SeatrialError, match="it went wrong"), mapped():
        raise error


def test_a_class_that_httpx_derives_later_is_treated_as_its_base() -> None:
    class NewTimeout(httpx.ConnectTimeout):
        pass

    with pytest.raises(ServerUnreachable), mapped():
        raise NewTimeout("slow")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadAnswer),
        (401, NotAuthenticated),
        (403, NotAllowed),
        (404, NotFound),
        (409, Conflict),
        (418, BadAnswer),
        (422, InvalidRequest),
        (429, QueueFull),
        (500, PlatformError),
        (502, PlatformError),
        (503, PlatformError),
        (302, BadAnswer),
    ],
)
def test_a_status_has_its_error_even_when_a_proxy_wrote_the_page(
    status: int, kind: type[SeatrialError]
) -> None:
    assert type(answered(status, b"<html>no</html>")) is kind


def test_field_problems_arrive_with_line_and_column() -> None:
    problem = {"field": "files", "message": "no", "code": "x", "file": "a.py", "line": 2}
    body = json.dumps({"status": 422, "errors": [problem]}).encode()
    error = answered(422, body)
    assert isinstance(error, InvalidRequest)
    assert error.problems == (FieldProblem("files", "no", "x", "a.py", 2, None),)


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("17", b"", 17),
        ("", b'{"retry_after_seconds": 9}', 9),
        ("Wed, 21 Oct 2026 07:28:00 GMT", b"", 5),
    ],
)
def test_a_full_queue_says_when_to_come_back(header: str, body: bytes, seconds: int) -> None:
    error = answered(429, body, header)
    assert isinstance(error, QueueFull)
    assert error.retry_after_seconds == seconds


def test_a_platform_fault_keeps_its_code_message_and_hint() -> None:
    body = {"code": "platform.no_capacity", "detail": "The disk is full.", "hint": "Prune."}
    error = answered(503, json.dumps(body).encode())
    assert isinstance(error, NoCapacity)
    assert (error.message, error.hint) == ("The disk is full.", "Prune.")


@given(st.integers(300, 599), st.binary(), st.text())
def test_no_answer_breaks_the_reading_of_errors(status: int, body: bytes, header: str) -> None:
    assert isinstance(answered(status, body, header), SeatrialError)
