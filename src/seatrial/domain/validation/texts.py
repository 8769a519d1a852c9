"""The plain texts of a request, query and name: of a sensible size and kind."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.domain.errors import FieldProblem

MAX_QUERY_CHARACTERS = 100_000
MAX_NAME_CHARACTERS = 200


def is_utf8(text: str) -> bool:
    """Whether the text can be written as UTF-8: it holds no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def query_problems(query: str) -> Iterator[FieldProblem]:
    """A query has 1 to 100,000 characters, all of them text."""
    if not query:
        yield FieldProblem("query", "The query is empty; ask the agent something.", "too_short")
    elif len(query) > MAX_QUERY_CHARACTERS:
        yield FieldProblem(
            "query",
            f"The query has {len(query):,} characters; the limit is {MAX_QUERY_CHARACTERS:,}.",
            "too_long",
        )
    if not is_utf8(query):
        yield FieldProblem("query", "The query is not valid UTF-8 text.", "not_utf8")
    elif "\0" in query:
        yield FieldProblem("query", "The query holds a null character.", "control_character")


def name_problems(name: str | None) -> Iterator[FieldProblem]:
    """A name is one line of at most 200 printable characters."""
    if name is None:
        return
    if not name.strip():
        yield FieldProblem("name", "The name is blank; leave it out instead.", "too_short")
    elif len(name) > MAX_NAME_CHARACTERS:
        yield FieldProblem(
            "name",
            f"The name has {len(name):,} characters; the limit is {MAX_NAME_CHARACTERS}.",
            "too_long",
        )
    elif not name.isprintable():
        yield FieldProblem("name", "The name holds characters that cannot be printed.", "invalid")
