"""List the tests of an owner, page by page."""

from __future__ import annotations

from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.phases import Outcome
from seatrial.domain.ports import Tests
from seatrial.domain.requests import MAX_MODEL_CHARACTERS
from seatrial.domain.tests import TestPage

MAX_PAGE = 200
MAX_SEARCH_CHARACTERS = 200


async def list_tests(
    tests: Tests,
    owner: str,
    *,
    cursor: str | None = None,
    limit: int = 50,
    outcome: Outcome | None = None,
    model: str | None = None,
    text: str = "",
) -> TestPage:
    """A page, newest first. InvalidRequest for a size, a cursor or a search that cannot be.

    `model` is the first that a test named; `default` finds those that named none.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise _invalid("limit", f"A page holds 1 to {MAX_PAGE} tests.", "out_of_range")
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise _invalid("q", f"The limit is {MAX_SEARCH_CHARACTERS} characters.", "too_long")
    if model is not None and (len(model) > MAX_MODEL_CHARACTERS or not model.isprintable()):
        raise _invalid("model", "No model has such a name.", "invalid")
    if not text.isprintable():
        raise _invalid("q", "It holds characters that cannot be printed.", "invalid")
    return await tests.page(
        owner, cursor=cursor, limit=limit, outcome=outcome, model=model or None, text=text
    )


def _invalid(field: str, message: str, code: str) -> InvalidRequest:
    return InvalidRequest((FieldProblem(field, message, code),))
