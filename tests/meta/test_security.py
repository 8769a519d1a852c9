"""SECURITY.md: each channel names promises, each promise names tests, and all of them exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PAGE = (ROOT / "SECURITY.md").read_text()


def _section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"SECURITY.md has no section {title!r}"
    return found.group(1)


def _rows(title: str) -> list[list[str]]:
    lines = [line for line in _section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def _promised(text: str) -> set[str]:
    """The promises that a text names: `P3`, `P4 to P8`."""
    found = set(re.findall(r"\bP\d+\b", text))
    for first, last in re.findall(r"\bP(\d+) to P(\d+)\b", text):
        found |= {f"P{number}" for number in range(int(first), int(last) + 1)}
    return found


def _promises() -> dict[str, str]:
    return {row[0]: row[-1] for row in _rows("Promises and their tests") if row[0] != "---"}


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {node.name for node in functions if node.name.startswith("test_")}


_NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", _PAGE)))


@pytest.mark.parametrize(("file", "name"), _NAMED)
def test_every_test_that_the_page_names_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file()
    assert not name or name in _tests_in(ROOT / file)


def test_every_promise_names_a_test() -> None:
    promises = _promises()
    assert promises
    assert [name for name, tests in promises.items() if "`tests/" not in tests] == []


def test_every_channel_names_promises_that_are_made() -> None:
    channels = [row for row in _rows("The channels") if row[0] not in ("---", "channel")]
    assert channels
    for row in channels:
        assert _promised(row[-1]), row[0]
        assert _promised(row[-1]) <= set(_promises()), row[0]


def test_every_promise_about_hostile_code_is_on_the_page() -> None:
    files = {path.name for path in (ROOT / "tests/hostile").glob("p[0-9][0-9]_*.py")}
    assert {name for name in files if f"`tests/hostile/{name}" not in _PAGE} == set()
