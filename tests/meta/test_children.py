"""Every program that the product starts gets an environment without the operator's keys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "seatrial"
STARTERS = {
    *("Popen", "run", "check_output", "check_call", "call", "create_subprocess_exec"),
    *("create_subprocess_shell", "getoutput", "getstatusoutput", "system", "popen"),
}
MODULES = {"subprocess", "asyncio", "os"}
INSIDE = ("harness", "packages/inside", "environments/inside", "worker/inside", "slots/inside")
"""Runs in containers, whose environment we make."""
EXCEPTIONS = {
    "wiring/local.py": "the product's own process, which holds the gateway and its keys",
    "gateway/keyring.py": "the operator's command for a KMS, which needs the operator's identity",
    "testing/fake_engine.py": "for tests; what plays the container gets an environment of its own",
    "testing/relays.py": "for tests",
}


def _starts(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.attr in STARTERS
            and node.func.value.id in MODULES
            and not (node.func.value.id == "asyncio" and node.func.attr == "run")
        ):
            yield node


def _is_clean(call: ast.Call) -> bool:
    """It has `env=` from `child_environment`, at once or through a method, or an empty one."""
    env = next((word.value for word in call.keywords if word.arg == "env"), None)
    return env is not None and ast.unparse(env).startswith(
        ("child_environment(", "self._environment()", "{}")
    )


def test_every_child_process_gets_the_allowed_environment() -> None:
    found = dict[str, list[int]]()
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        if name.startswith(INSIDE):
            continue
        calls = [call for call in _starts(ast.parse(path.read_text())) if not _is_clean(call)]
        if calls:
            found[name] = [call.lineno for call in calls]
    assert set(found) == set(EXCEPTIONS), found
