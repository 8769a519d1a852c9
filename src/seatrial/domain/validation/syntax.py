"""The first syntax error of a source. Standard library only: a child process runs it alone."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import NamedTuple

RUNNING = sys.version_info[:2]
"""The version whose compiler is used here."""

SYNTAX, REFUSED, TOO_COMPLEX, UNCHECKED = "syntax", "refused", "too_complex", "unchecked"
"""Kinds of findings: a syntax error, what the compiler refuses without a place (such as a literal
that cannot be made), nesting too deep for it, and a check that took too much time or memory.
"""

_MOST_CHARACTERS = 500

# Grammar that came after 3.11, by how a line with it looks: nested quotes in f-strings (3.12),
# `type` statements and type parameters (3.12), `except A, B` (3.14), t-strings (3.14).
_NEWER_GRAMMAR = re.compile(
    r"""\b[bfrt]{1,2}['"]|^\s*type\s|\b(?:def|class)\s+\w+\s*\["""
    r"""|\bexcept\b(?:(?!\bexcept\b)[^(,])*,""",
    re.IGNORECASE,
)


class Finding(NamedTuple):
    """What is wrong with a source. Lines and columns count from 1; None where unknown."""

    kind: str
    message: str = ""
    line: int | None = None
    column: int | None = None


def find(source: str, version: tuple[int, int]) -> Finding | None:
    """The first error of the source for that version of Python; None without one.

    Its cost is the compiler's, which for some sources grows with their square and beyond.
    """
    try:
        _parse(source, version)
    except SyntaxError as error:
        if version > RUNNING and _may_be_newer_grammar(source, error):
            return None
        return Finding(SYNTAX, error.msg[:_MOST_CHARACTERS], error.lineno, error.offset)
    except (RecursionError, MemoryError):
        return Finding(TOO_COMPLEX)
    except (ValueError, OverflowError) as error:
        return Finding(REFUSED, str(error)[:_MOST_CHARACTERS])
    return None


def _parse(source: str, version: tuple[int, int]) -> None:
    """Compile without running. A compiler's whole check finds more than the grammar's alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, "agent", "exec", dont_inherit=True)
        if version < RUNNING:
            ast.parse(source, feature_version=version)


def _may_be_newer_grammar(source: str, error: SyntaxError) -> bool:
    """Whether a Python newer than the one that runs here might accept the line."""
    lines = source.splitlines()
    number = (error.lineno or 0) - 1
    line = lines[number] if 0 <= number < len(lines) else ""
    return error.msg.startswith("f-string") or bool(_NEWER_GRAMMAR.search(line))
