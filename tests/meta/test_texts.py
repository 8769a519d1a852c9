"""Public texts hold no machine's paths and no secret-looking values; files stay readable."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

_MACHINE_PATHS = re.compile(r"/(?:work|home/(?!agent)[a-z]+)/[a-z]")
_HOSTILE = {ROOT / "tests" / "hostile" / name for name in ("agents", "probes")}
"""Agents that must not even be valid Python, for example."""
_LONGEST_FILE = 600
_LONGEST_FUNCTION = 60


def _tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).exists()]


def test_no_text_names_a_path_of_somebodys_machine() -> None:
    found = {
        str(path.relative_to(ROOT)): _MACHINE_PATHS.findall(text)
        for path in _tracked("*")
        if path != Path(__file__) and (text := path.read_text(errors="ignore"))
    }
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_files_and_functions_stay_short() -> None:
    too_long: list[str] = []
    for path in _tracked("*.py"):
        if path.parent in _HOSTILE:
            continue
        text = path.read_text()
        if text.count("\n") > _LONGEST_FILE:
            too_long.append(f"{path.name}: {text.count(chr(10))} lines")
        too_long += [
            f"{path.name}:{node.lineno} {node.name}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (node.end_lineno or 0) - node.body[0].lineno >= _LONGEST_FUNCTION
        ]
    assert too_long == []
