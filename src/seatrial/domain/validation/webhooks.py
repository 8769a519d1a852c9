"""The address that is told when a test has ended."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.domain.errors import FieldProblem

from .base_urls import url_problem


def webhook_problems(url: str | None) -> Iterator[FieldProblem]:
    """A webhook is an http or https address without a user, a password or a fragment."""
    if url is None:
        return
    problem = url_problem(url, "webhook", may_have_query=True)
    if problem:
        yield FieldProblem("webhook", problem)
