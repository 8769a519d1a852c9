"""The switches that let a model service do more than answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from seatrial.domain.allowances import (
    KINDS_WITH_VALUE,
    PLAIN_KINDS,
    S3,
    SECRET,
    UNLISTED,
    URLS,
    canonical,
)
from seatrial.domain.errors import FieldProblem

from .egress import host_problem
from .paths import printable

MAX_ALLOWED = 50

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}", re.ASCII)


def allow_problems(entries: Sequence[str], variables: Collection[str]) -> Iterator[FieldProblem]:
    """Each entry is a known kind, with a value where its kind has one; `variables` hold secrets."""
    if len(entries) > MAX_ALLOWED:
        message = f"{len(entries):,} entries; the limit is {MAX_ALLOWED}."
        yield FieldProblem("allow", message, "too_many")
        return
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        problem = _problem(entry, variables)
        if problem is None and canonical(entry) in seen:
            problem = "is listed twice."
        seen.add(canonical(entry))
        if problem:
            message = f"{printable(entry)!r} {problem}"
            yield FieldProblem(f"allow[{index}]", message, "invalid")


def _problem(entry: str, variables: Collection[str]) -> str | None:
    kind, equals, value = entry.partition("=")
    if kind in PLAIN_KINDS:
        return f"takes no value; write {kind}." if equals else None
    if kind not in KINDS_WITH_VALUE:
        return f"is not a known kind; use {_listed()}."
    if not value:
        return f"names nothing; write {kind}=NAME."
    match kind:
        case "urls":
            problem = host_problem(value)
            return f"{problem} (write urls=HOST, without scheme, port or path)" if problem else None
        case "s3":
            return None if _BUCKET.fullmatch(value) else "is not the name of an S3 bucket."
        case "secret":
            return None if value in variables else "names no variable of the request's `secrets`."
        case _:
            return None if _NAME.fullmatch(value) else "is not a plain name."


def _listed() -> str:
    values = {URLS: "HOST", S3: "BUCKET", SECRET: "VARIABLE", UNLISTED: "NAME"}
    kinds = [*sorted(PLAIN_KINDS), *(f"{kind}={value}" for kind, value in values.items())]
    return ", ".join(kinds)
