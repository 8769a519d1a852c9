"""What a refused line of the requirements says to do instead, and how encodings are told."""

from __future__ import annotations

import pytest

from seatrial.domain.errors import FieldProblem
from seatrial.domain.validation.requirements import requirements_problems


def only(text: str) -> FieldProblem:
    (problem,) = requirements_problems(text)
    return problem


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("--trusted-host=evil.example", "SSL_CERT_FILE"),
        ("--index-url=https://evil.example", "SEATRIAL_INDEX_URL"),
        ("-ihttps://evil.example", "SEATRIAL_INDEX_URL"),
        ("--extra-index-url https://evil.example", "UV_INDEX"),
        ("-f ./wheels", "SEATRIAL_INDEX_URL"),
        ("--pre", "as a version"),
        ("--only-binary=:all:", "remove the line"),
        ("--no-binary x", "remove the line"),
        ("--require-hashes", "remove the line"),
        ("--use-feature=x", "remove the line"),
        ("https://example.com/x.whl", "SEATRIAL_INDEX_URL"),
        ("git+ssh://git@example.com/x.git#egg=x", "send the code among the files"),
    ],
)
def test_each_refused_option_says_what_does_the_same(text: str, remedy: str) -> None:
    problem = only(f"# first\n{text}\nidna\n")
    assert (problem.field, problem.line, problem.code) == ("requirements", 2, "not_allowed")
    assert remedy in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "idna\n".encode("utf-16").decode("latin-1"),
        "idna\n".encode("utf-16-le").decode("latin-1"),
        "idna\n".encode("utf-16-be").decode("ascii"),
        "idna\n".encode("utf-16").decode("utf-8", "replace"),
        "idna\n".encode("utf-8-sig").decode("cp1252"),
    ],
)
def test_requirements_that_were_read_in_the_wrong_encoding_are_one_problem(text: str) -> None:
    problem = only(text)
    assert (problem.code, problem.field) == ("not_utf8", "requirements")
    assert "Save the file as UTF-8." in problem.message


def test_a_byte_order_mark_and_ends_of_line_of_windows_are_accepted() -> None:
    assert list(requirements_problems("\ufeffidna\r\n# x\r\nhttpx\r\n")) == []
