"""Users' sources are compiled beside the loop, within limits of time and memory."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.growth import assert_linear
from tests.support.loop_lag import responsive_loop

from seatrial.compiler import KeptCompiler, check_once
from seatrial.compiler.child import Child
from seatrial.domain.validation.syntax import REFUSED, SYNTAX, TOO_COMPLEX, UNCHECKED, Finding, find

VERSION = (3, 11)
LARGE = 990_000
SLOW = {
    "dotted import": "import " + "a." * (LARGE // 2) + "a",
    "f-string": 'f"' + "{a}" * (LARGE // 3) + '"',
    "accents": "a" + "\u0301\u0316" * (LARGE // 4),
    "statements": "a = 1; b = a, a; c = a < b < c\n" * (LARGE // 31),
    "tuples": "x = (" + "1, " * (LARGE // 3) + ")",
    "comparisons": "a" + " < a" * (LARGE // 4),
    "nested": "(" * LARGE,
    "indents": "".join(" " * depth + "if 1:\n" for depth in range(1200)),
    "decorators": "@a\n" * (LARGE // 3),
    "strings": "''" * (LARGE // 2),
    "backslashes": "\\\n" * (LARGE // 2),
}


@pytest.mark.parametrize("shape", SLOW)
async def test_no_source_holds_the_loop(shape: str) -> None:
    compiler = KeptCompiler(seconds=0.5)
    async with responsive_loop():
        found = await compiler.check("ann", {"agent.py": SLOW[shape]}, VERSION)
        ok = await compiler.check("ann", {"agent.py": "x ="}, VERSION)

    assert found.get("agent.py", Finding(UNCHECKED)).kind in {UNCHECKED, SYNTAX, TOO_COMPLEX}
    assert ok["agent.py"].kind == SYNTAX
    compiler.close()


async def test_a_source_that_takes_too_long_is_unchecked_and_those_before_it_are_known() -> None:
    compiler = KeptCompiler(seconds=0.3)
    sources = {"agent.py": "x =", "slow.py": SLOW["dotted import"], "after.py": "y ="}

    found = await compiler.check("ann", sources, VERSION)

    assert {path: one.kind for path, one in found.items()} == {
        "agent.py": SYNTAX,
        "slow.py": UNCHECKED,
        "after.py": UNCHECKED,
    }
    compiler.close()


async def test_a_source_that_takes_too_much_memory_is_unchecked_and_not_too_complex() -> None:
    compiler = KeptCompiler(seconds=60, patience=120)
    text = "x = [" + "(a, b, c), " * 90_000 * 2 + "]"

    found = await compiler.check("ann", {"agent.py": text}, VERSION)

    assert found.get("agent.py", Finding(UNCHECKED)).kind == UNCHECKED
    compiler.close()


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "x =",
        "def f(:\r\n    pass",
        "\n\n  'a' = 1",
        "x = '\u00e4\u20ac' +",
        "(" * 300,
        "1" * 5000,
        "x = \x0c1\n\x0c y",
        "return 1",
        "nonlocal x",
        "# coding: latin-1\nx = '\u00e4",
    ],
)
def test_a_child_finds_what_this_process_would_find(text: str) -> None:
    here = find(text, VERSION)
    assert check_once({"agent.py": text}, VERSION) == ({} if here is None else {"agent.py": here})


def test_kinds_of_findings_are_told_apart() -> None:
    found = check_once({"a": "x =", "b": "-" * 100_000 + "1", "c": "1" * 5000, "d": "1"}, VERSION)

    assert found["a"] == Finding(SYNTAX, "invalid syntax", 1, 4)
    assert found["b"].kind == TOO_COMPLEX
    assert found["c"].kind in {SYNTAX, REFUSED}
    assert "d" not in found


async def test_one_owners_slow_sources_leave_a_child_for_others() -> None:
    compiler = KeptCompiler(seconds=1.5)
    slow = {"agent.py": SLOW["dotted import"]}
    hostile = [asyncio.create_task(compiler.check("eve", slow, VERSION)) for _ in range(6)]
    await asyncio.sleep(0)

    for _ in range(3):
        assert await compiler.check("ann", {"agent.py": "x ="}, VERSION)
        assert not all(task.done() for task in hostile)

    for task in hostile:
        task.cancel()
    await asyncio.gather(*hostile, return_exceptions=True)
    compiler.close()


async def test_a_child_that_was_killed_is_replaced() -> None:
    compiler = KeptCompiler()
    idle: list[Child] = compiler._idle  # pyright: ignore[reportPrivateUsage]
    assert await compiler.check("ann", {"agent.py": "x ="}, VERSION)
    [killed] = idle
    os.kill(killed.pid, signal.SIGKILL)
    while killed.runs:
        await asyncio.sleep(0.01)

    found = await compiler.check("ann", {"agent.py": "x ="}, VERSION)

    assert found["agent.py"].kind == SYNTAX
    assert idle[0].pid != killed.pid
    compiler.close()


def test_a_child_ends_with_its_parent() -> None:
    program = (
        "import os, signal\n"
        "from seatrial.compiler.child import Child\n"
        "child = Child()\n"
        "assert dict(child.check({'a': '1'}, (3, 11))) == {'a': None}\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    pid = int(parent.stdout)

    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and _runs(pid):
        assert time.monotonic() < deadline, "the child outlives its parent"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether it is more than an entry that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_has_nothing_of_its_parents() -> None:
    os.environ["SEATRIAL_COMPILER_TEST"] = "secret"
    try:
        with Child() as child:
            list(child.check({"a": "1"}, VERSION))
            assert Path(f"/proc/{child.pid}/environ").read_bytes() == b""
            open_files = sorted(os.listdir(f"/proc/{child.pid}/fd"))
    finally:
        del os.environ["SEATRIAL_COMPILER_TEST"]

    assert open_files == ["0", "1", "2"]


def test_cost_of_asking_grows_with_the_sources_length() -> None:
    with Child() as child:
        assert_linear(lambda size: list(child.check({"a": "#" * size}, VERSION)), "asking")
