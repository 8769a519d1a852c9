"""What an agent's file does while it is loaded, told from its source. Pure."""

from __future__ import annotations

import ast

from seatrial.harness.detect import is_guard

_WORDS = {"argv", "parse_args", "parse_known_args"}


def reads_arguments(source: str) -> bool:
    """Whether loading the file may read its arguments, where the test put the query.

    >>> reads_arguments("from sys import argv"), reads_arguments("def run(query): return query")
    (True, False)
    """
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False
    loaded = (statement for statement in statements if not is_guard(statement))
    return any(
        isinstance(node, ast.Name | ast.Attribute | ast.alias) and _word(node) in _WORDS
        for statement in loaded
        for node in ast.walk(statement)
    )


def _word(node: ast.Name | ast.Attribute | ast.alias) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else node.name
