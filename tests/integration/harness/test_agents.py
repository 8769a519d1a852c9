"""Agents of every plain shape, from the assignment to the exit frame."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from seatrial.harness.protocol import Begun, Metric, Ready, ResultFrame

from .container import AGENT_UID, Container

Run = Callable[..., Awaitable[Container]]


async def test_a_function_is_called_with_the_query(run: Run) -> None:
    worker = (await run("def run(query: str) -> str:\n    return 'plain ' + query")).worker
    assert worker.result == ResultFrame("plain hello", None, {}, None)
    assert (worker.entry.entry_point, worker.entry.framework) == ("agent.py:run", "function")
    assert (worker.exit.code, worker.exit.signal, worker.exit.reason) == (0, None, "exited")
    assert worker.one(Ready).python.startswith("3.")
    assert worker.one(Begun).pid > 1
    assert len(worker.all(Metric)) >= 2
    assert worker.exit.left_processes == 0
    assert 0 < worker.exit.wall_seconds < 100


async def test_a_coroutine_is_awaited_and_its_usage_is_told(run: Run) -> None:
    code = (
        "async def main(query):\n"
        "    return {'output': 'async ' + query, 'usage': {'input_tokens': 1, 'output_tokens': 2}}"
    )
    worker = (await run(code)).worker
    assert worker.result.response == "async hello"
    assert json.loads(worker.result.value_json or "")["usage"] == {
        "input_tokens": 1,
        "output_tokens": 2,
    }
    assert worker.result.usage == {"input_tokens": 1, "output_tokens": 2}


async def test_a_plain_function_may_start_an_event_loop_of_its_own(run: Run) -> None:
    code = (
        "import asyncio\nasync def inner(q):\n    await asyncio.sleep(0)\n    return 'inner ' + q\n"
        "def run(q): return asyncio.run(inner(q))"
    )
    assert (await run(code)).worker.result.response == "inner hello"


@pytest.mark.parametrize("keyword", ["def", "async def"])
async def test_what_a_generator_yields_is_streamed_and_joined(run: Run, keyword: str) -> None:
    code = f"{keyword} agent(q):\n    yield 'gen '\n    yield q\n    yield ' é😀'"
    worker = (await run(code)).worker
    assert worker.result.response == worker.streamed() == "gen hello é😀"
    assert worker.result.value_json is None


async def test_a_guarded_script_answers_with_what_it_prints_as_a_program(run: Run) -> None:
    code = (
        "import sys\nprint('loading')\ndef _x(): pass\n"
        "if __name__ == '__main__':\n    print('script', sys.argv[1:], sys.stdin.read())"
    )
    worker = (await run(code)).worker
    assert worker.result.response == "loading\nscript ['hello'] hello"
    assert worker.result.from_stdout
    assert worker.entry.framework == "script"
    assert worker.log("stdout") == "loading\n" + worker.result.response + "\n"


async def test_an_unguarded_script_answers_with_what_it_printed(run: Run) -> None:
    worker = (await run("print('the answer to', input())")).worker
    assert worker.result.response == "the answer to hello"
    assert worker.entry.how == "import"


async def test_a_script_that_leaves_with_code_zero_has_answered(run: Run) -> None:
    worker = (await run("import sys\nprint('done')\nsys.exit(0)")).worker
    assert worker.result.response == "done"
    assert worker.exit.code == 0


async def test_a_main_that_prints_and_takes_no_query_is_run_as_the_script_it_is(run: Run) -> None:
    code = "def main():\n    print('printed', input())\nif __name__ == '__main__':\n    main()"
    worker = (await run(code)).worker
    assert worker.result.response == "printed hello"


async def test_a_function_that_returns_nothing_answers_with_what_it_printed(run: Run) -> None:
    worker = (await run("print('noise')\ndef run(q):\n    print('said', q)")).worker
    assert worker.result.response == "said hello"


async def test_the_entry_point_that_was_named_wins(run: Run) -> None:
    code = (
        "def run(q): return 'run'\n"
        "class Mine:\n    def ask(self, q): return 'mine ' + q\nmine = Mine()"
    )
    worker = (await run(code, entry_point="agent.py:mine")).worker
    assert worker.result.response == "mine hello"
    assert worker.entry.how == "explicit"


async def test_an_entry_point_may_be_in_another_file_of_a_package(run: Run) -> None:
    files = {
        "agent.py": "",
        "flow/__init__.py": "",
        "flow/words.py": "WORD = 'from the package '",
        "flow/main.py": "from .words import WORD\ndef go(q): return WORD + q",
    }
    worker = (await run("", files=files, entry_point="flow/main.py:go")).worker
    assert worker.result.response == "from the package hello"


_WORD = "WORD = 'own'"
_LAYOUTS = {
    "absolute imports of the own package": (
        {"app/__init__.py": "", "app/words.py": _WORD},
        ("app/agent.py", "from app.words import WORD\ndef run(q): return WORD + ' ' + q"),
    ),
    "src layout": (
        {"src/app/__init__.py": "", "src/app/words.py": _WORD},
        ("src/app/agent.py", "from app.words import WORD\ndef run(q): return WORD + ' ' + q"),
    ),
    "src layout of a namespace package": (
        {"src/app/words.py": _WORD},
        ("src/app/agent.py", "from .words import WORD\ndef run(q): return WORD + ' ' + q"),
    ),
    "a project within a repository": (
        {"backend/app/__init__.py": "", "backend/app/words.py": _WORD},
        ("backend/app/agent.py", "from app.words import WORD\ndef run(q): return WORD + ' ' + q"),
    ),
    "a module beside the file": (
        {"agents/one/words.py": _WORD},
        ("agents/one/agent.py", "from words import WORD\ndef run(q): return WORD + ' ' + q"),
    ),
    "a module named as one of Python's": (
        {"agents/one/words.py": _WORD, "agents/one/types.py": "raise ValueError"},
        ("agents/one/agent.py", "import enum, words\ndef run(q): return words.WORD + ' ' + q"),
    ),
    "a package that is run": (
        {"app/__init__.py": "", "app/words.py": _WORD},
        ("app/__main__.py", "import sys\nfrom .words import WORD\nprint(WORD, sys.argv[1])"),
    ),
    "a guarded script in a package": (
        {"app/__init__.py": "", "app/words.py": _WORD},
        (
            "app/bot.py",
            "import sys\nfrom .words import WORD\n"
            "if __name__ == '__main__':\n    print(WORD, sys.argv[1])",
        ),
    ),
    "a folder whose name is no identifier": (
        {"v1.0/words.py": _WORD},
        ("v1.0/agent.py", "from words import WORD\ndef run(q): return WORD + ' ' + q"),
    ),
}


@pytest.mark.parametrize("name", _LAYOUTS)
async def test_an_agent_in_a_folder_finds_its_modules(run: Run, name: str) -> None:
    others, (file, code) = _LAYOUTS[name]
    worker = (await run("", files={**others, file: code}, entry_point=file)).worker
    assert worker.result.response == "own hello"
    assert worker.entry.entry_point.startswith(file)
    assert "Warning" not in worker.log("stderr")


async def test_the_agents_own_modules_may_have_the_names_of_ours(run: Run) -> None:
    files = {
        "agent.py": "import harness, protocol, runner, detect\n"
        "def run(q): return harness.X + protocol.X",
        "harness.py": "X = 'h'",
        "protocol.py": "X = 'p'",
        "runner.py": "",
        "detect.py": "",
    }
    assert (await run("", files=files)).worker.result.response == "hp"


async def test_the_agent_has_no_privilege_beyond_its_own_files(run: Run) -> None:
    code = """
import os
def run(q):
    lines = open("/proc/self/status").read().splitlines()
    status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
    try:
        open("/seatrial/lib/harness/run.py", "a")
        wrote = True
    except OSError:
        wrote = False
    import sqlite3
    sqlite3.connect("memory.db").execute("create table notes (text)")
    os.makedirs("data/out")
    open("data/out/report.md", "w").close()
    open("/agent/agent.py", "a").close()
    os.remove("/agent/agent.py")
    return {"caps": [status[k] for k in ("CapInh", "CapPrm", "CapEff", "CapAmb")],
            "nnp": status["NoNewPrivs"], "ids": [os.getuid(), os.getgid(), os.getgroups()],
            "wrote": wrote, "cwd": os.getcwd(), "home": os.environ["HOME"],
            "session": os.getsid(0) == os.getpid()}
"""
    value = json.loads((await run(code)).worker.result.value_json or "")
    assert value["caps"] == ["0" * 16] * 4
    assert value["nnp"] == "1"
    assert value["ids"] == [AGENT_UID, AGENT_UID, []]
    assert not value["wrote"]
    assert (value["cwd"], value["home"]) == ("/agent", "/home/agent")
    assert value["session"]
