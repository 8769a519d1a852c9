"""Every regular expression reads foreign text in linear time: none goes back over it again."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.growth import assert_linear

import seatrial

SRC = Path(seatrial.__file__).parent
_CHARACTERS = "\x00 a1.-_/\"'`[(=@\n#:,"
_LEFT_OUT = ("seatrial.testing", "seatrial.packages.templates", "seatrial.store.migrations")
"""What no foreign text reaches, and what cannot be imported alone."""
_TABLES = {
    "seatrial.domain.validation.credentials": "fullmatch",
    "seatrial.domain.validation.models": "fullmatch",
}
"""Modules whose expressions stand in a table, and how it applies them."""
_BUILT = {
    ("domain/pulls.py", "fullmatch"): "of constants that are tried themselves",
    ("engines/docker/advisories.py", "search"): "of constants, on what the engine says of itself",
    ("gateway/reach/shapes.py", "fullmatch"): "of constants, on texts of at most 80 characters",
}
"""Calls whose expression is built, and why that is well."""


class Use(NamedTuple):
    """An expression and how it is applied."""

    where: str
    pattern: re.Pattern[str] | re.Pattern[bytes]
    methods: frozenset[str]


def _modules() -> Iterator[str]:
    for found in pkgutil.walk_packages([str(SRC)], "seatrial."):
        if not found.name.startswith(_LEFT_OUT) and not found.name.endswith("__main__"):
            yield found.name


def _kept() -> Iterator[Use]:
    """Expressions that a module keeps under a name."""
    for name in _modules():
        module = importlib.import_module(name)
        text = inspect.getsource(module)
        for attribute, value in vars(module).items():
            pattern = getattr(value, "__self__", value)
            if isinstance(pattern, re.Pattern) and re.search(
                rf"^{attribute}\b", text, re.MULTILINE
            ):
                yield Use(f"{name}.{attribute}", pattern, _uses(name, attribute, value, text))


def _uses(module: str, attribute: str, value: object, text: str) -> frozenset[str]:
    if module in _TABLES:
        return frozenset([_TABLES[module]])
    if not isinstance(value, re.Pattern):
        return frozenset([getattr(value, "__name__", "search")])
    return frozenset(re.findall(rf"\b{attribute}\.(\w+)\(", text) or ["search"])


def _inline() -> Iterator[Use]:
    """Expressions that stand in a call: `re.search(r"…", text)`."""
    for path in sorted(SRC.rglob("*.py")):
        where = str(path.relative_to(SRC))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            method = _method(node)
            if method is None or where.startswith(("testing/", "server/page")):
                continue
            assert isinstance(node, ast.Call)
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes):
                yield Use(f"{where}:{node.lineno}", re.compile(first.value), frozenset([method]))
            elif not isinstance(first, ast.Constant):
                UNTRIED.append((where, method))


def _method(node: ast.AST) -> str | None:
    """The function of `re` that is called there, besides `compile`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
    return node.func.attr if of_re and node.func.attr not in {"compile", "escape"} else None


UNTRIED: list[tuple[str, str]] = []
USES = [*_kept(), *_inline()]


def _pieces(pattern: str) -> list[str]:
    """Texts that the expression looks for, as far as they can be read from it."""
    words = re.findall(r"[A-Za-z0-9 :`/=-]{2,}", re.sub(r"\\.|\[[^\]]*\]|\{[^}]*\}", "\n", pattern))
    return list(dict.fromkeys(words))


def _shapes(pattern: str) -> Iterator[tuple[str, str, str]]:
    """Beginning, what is repeated, and end."""
    pieces = _pieces(pattern)
    for repeated in (*_CHARACTERS, *pieces, *(f"{piece} " for piece in pieces)):
        yield "", repeated, "\x00"
    for piece in pieces:
        for character in _CHARACTERS:
            yield piece, character, "\x00"


def test_every_expression_is_tried_or_has_its_reason() -> None:
    assert set(UNTRIED) == set(_BUILT)


def test_there_are_expressions_to_try() -> None:
    names = {use.where for use in USES}
    assert len(names) > 60
    assert "seatrial.domain.validation.requirements._BEFORE_OPTION" in names


@pytest.mark.parametrize("use", USES, ids=lambda use: use.where)
def test_an_expression_takes_linear_time(use: Use) -> None:
    text = use.pattern.pattern
    shown = text if isinstance(text, str) else text.decode("latin-1")
    for begin, repeated, end in _shapes(shown):

        def work(size: int, begin: str = begin, repeated: str = repeated, end: str = end) -> None:
            _apply(use, begin + repeated * (size // len(repeated)) + end)

        assert_linear(work, f"{use.where} {shown!r} on {begin!r} + {repeated!r} * n + {end!r}")


def _apply(use: Use, text: str) -> None:
    given = text if isinstance(use.pattern.pattern, str) else text.encode()
    if use.methods <= {"fullmatch"}:
        use.pattern.fullmatch(given)  # type: ignore[call-overload]
    elif use.methods <= {"match", "fullmatch"}:
        use.pattern.match(given)  # type: ignore[call-overload]
    else:
        for _ in use.pattern.finditer(given):  # type: ignore[call-overload]
            pass
