"""The Python code of a request: is it code, for the Python version that it asks for."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator, Mapping

from seatrial.domain.errors import FieldProblem

from .paths import MAX_CODE_BYTES, printable
from .texts import is_utf8

SUPPORTED_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""Versions that a test may ask for."""

_RUNNING = sys.version_info[:2]
_MAX_PROBLEMS = 20

# Grammar that came after 3.11, by how a line with it looks: nested quotes in f-strings (3.12),
# `type` statements and type parameters (3.12), `except A, B` (3.14), t-strings (3.14).
_NEWER_GRAMMAR = re.compile(
    r"""\b[bfrt]{1,2}['"]|^\s*type\s|\b(?:def|class)\s+\w+\s*\[|\bexcept\b(?:(?!\bexcept\b)[^(,])*,""",
    re.IGNORECASE,
)


def python_problems(python: str | None) -> Iterator[FieldProblem]:
    """The version is one of those that are supported, or left out."""
    if python is not None and python not in SUPPORTED_PYTHONS:
        supported = ", ".join(SUPPORTED_PYTHONS)
        message = f"Python {printable(python)!r} is not supported; choose one of {supported}."
        yield FieldProblem("python", message, "unsupported")


def source_problems(files: Mapping[str, str], python: str) -> Iterator[FieldProblem]:
    """The first syntax error of each `.py` file, agent.py first; at most 20 in all.

    Nothing is said about code beyond the size limit: it is refused for its size already.
    """
    if sum(len(text) for text in files.values()) > MAX_CODE_BYTES:
        return
    version = _version(python)
    found = 0
    for path in sorted((p for p in files if p.endswith(".py")), key=lambda p: p != "agent.py"):
        problem = _syntax_problem(path, files[path], version)
        if problem and found < _MAX_PROBLEMS:
            found += 1
            yield problem


def entry_point_problems(entry: str | None, files: Mapping[str, str]) -> Iterator[FieldProblem]:
    """An entry point is `file.py:name`, of a file that is there."""
    if entry is None:
        return
    path, _, name = entry.rpartition(":")
    if not (path.endswith(".py") and name.isidentifier()):
        message = f"{printable(entry)!r} is not of the form file.py:name."
        yield FieldProblem("entry_point", message, "invalid")
    elif path not in files:
        message = f"There is no file {printable(path)!r} in the request."
        yield FieldProblem("entry_point", message, "missing", file=printable(path))


def _version(python: str) -> tuple[int, int]:
    """An unknown version counts as ours; `python_problems` reports it."""
    if python not in SUPPORTED_PYTHONS:
        return _RUNNING
    major, _, minor = python.partition(".")
    return int(major), int(minor)


def _syntax_problem(path: str, text: str, version: tuple[int, int]) -> FieldProblem | None:
    if not is_utf8(text):
        return None
    source = text.removeprefix("\ufeff")
    if "\0" in source:
        line = source.count("\n", 0, source.index("\0")) + 1
        return _problem(path, "The source holds a null byte", line, None)
    try:
        _parse(source, version)
    except SyntaxError as error:
        if version > _RUNNING and _may_be_newer_grammar(source, error):
            return None
        return _problem(path, error.msg, error.lineno, error.offset)
    except (RecursionError, MemoryError):
        message = "The code is nested too deeply for Python."
        return FieldProblem("files", message, "agent.too_complex", file=printable(path))
    except (ValueError, OverflowError) as error:
        # What the compiler refuses without a place, such as a literal that cannot be made.
        return _problem(path, str(error), None, None)
    return None


def _parse(source: str, version: tuple[int, int]) -> None:
    """Compile without running. A compiler's whole check finds more than the grammar's alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, "agent", "exec", dont_inherit=True)
        if version < _RUNNING:
            ast.parse(source, feature_version=version)


def _may_be_newer_grammar(source: str, error: SyntaxError) -> bool:
    """Whether a Python newer than the one that runs here might accept the line."""
    lines = source.splitlines()
    number = (error.lineno or 0) - 1
    line = lines[number] if 0 <= number < len(lines) else ""
    return error.msg.startswith("f-string") or bool(_NEWER_GRAMMAR.search(line))


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
