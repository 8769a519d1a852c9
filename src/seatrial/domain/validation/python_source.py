"""The Python code of a request: is it code, for the Python version that it asks for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from seatrial.domain.errors import FieldProblem

from .paths import MAX_CODE_BYTES, printable
from .syntax import RUNNING, TOO_COMPLEX, UNCHECKED, Finding
from .texts import is_utf8

SUPPORTED_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""Versions that a test may ask for."""

_MAX_PROBLEMS = 20


def python_problems(python: str | None) -> Iterator[FieldProblem]:
    """The version is one of those that are supported, or left out."""
    if python is not None and python not in SUPPORTED_PYTHONS:
        supported = ", ".join(SUPPORTED_PYTHONS)
        message = f"Python {printable(python)!r} is not supported; choose one of {supported}."
        yield FieldProblem("python", message, "unsupported")


def sources_of(files: Mapping[str, str]) -> dict[str, str]:
    """The sources to compile by path, agent.py first.

    None of code beyond the size limit: it is refused for its size already.
    """
    if sum(len(text) for text in files.values()) > MAX_CODE_BYTES:
        return {}
    paths = sorted((p for p in files if p.endswith(".py")), key=lambda p: p != "agent.py")
    texts = {path: files[path].removeprefix("\ufeff") for path in paths}
    return {path: text for path, text in texts.items() if is_utf8(text) and "\0" not in text}


def version_of(python: str) -> tuple[int, int]:
    """The version to compile for. An unknown one counts as ours; `python_problems` reports it."""
    if python not in SUPPORTED_PYTHONS:
        return RUNNING
    major, _, minor = python.partition(".")
    return int(major), int(minor)


def source_problems(
    files: Mapping[str, str], findings: Mapping[str, Finding]
) -> Iterator[FieldProblem]:
    """The first syntax error of each `.py` file, agent.py first; at most 20 in all.

    `findings` are the compiler's, by path.
    """
    if sum(len(text) for text in files.values()) > MAX_CODE_BYTES:
        return
    paths = sorted((p for p in files if p.endswith(".py")), key=lambda p: p != "agent.py")
    problems = (_syntax_problem(path, files[path], findings.get(path)) for path in paths)
    yield from itertools.islice(filter(None, problems), _MAX_PROBLEMS)


def entry_point_problems(entry: str | None, files: Mapping[str, str]) -> Iterator[FieldProblem]:
    """An entry point is `file.py:name` or `file.py`, of a file that is there."""
    if entry is None:
        return
    path, colon, name = entry.partition(":")
    if not path.endswith(".py") or (colon and not name.isidentifier()):
        message = f"{printable(entry)!r} is not of the form file.py:name or file.py."
        yield FieldProblem("entry_point", message, "invalid")
    elif path not in files:
        message = f"There is no file {printable(path)!r} in the request."
        yield FieldProblem("entry_point", message, "missing", file=printable(path))


def _syntax_problem(path: str, text: str, found: Finding | None) -> FieldProblem | None:
    if not is_utf8(text):
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return _problem(path, "The source holds a null byte", line, None)
    if found is None or found.kind == UNCHECKED:
        return None
    if found.kind == TOO_COMPLEX:
        message = "The code is nested too deeply for Python."
        return FieldProblem("files", message, "agent.too_complex", file=printable(path))
    return _problem(path, _with_remedy(text, found), found.line, found.column)


def _with_remedy(text: str, found: Finding) -> str:
    """The compiler's message, and what to do where the line is a notebook's and no Python."""
    lines = text.splitlines()
    at = found.line or 0
    line = lines[at - 1].strip() if 0 < at <= len(lines) else ""
    if not line.startswith(("%", "!")):
        return found.message
    return (
        f"{found.message}; {printable(line[:80])!r} is a line of a notebook: remove it, and put "
        "the packages that it installs into the requirements"
    )


def _problem(path: str, reason: str, line: int | None, column: int | None) -> FieldProblem:
    """Lines and columns count from 1; the compiler's 0 means that it does not know."""
    at = f", line {line}" if line else ""
    at += f", column {column}" if line and column else ""
    return FieldProblem(
        "files",
        f"Syntax error in {printable(path)}{at}: {reason}.",
        "agent.syntax_error",
        file=printable(path),
        line=line or None,
        column=column or None,
    )
