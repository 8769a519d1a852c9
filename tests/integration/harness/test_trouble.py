"""What goes wrong in an agent, as the worker hears of it."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import pytest

from seatrial.harness.protocol import Begun, ErrorFrame, ResultFrame

from .container import Container

Run = Callable[..., Awaitable[Container]]


async def test_an_exception_names_its_line_and_hides_the_runner(run: Run) -> None:
    code = "import json\ndef run(q):\n    return json.loads('nonsense')"
    worker = (await run(code)).worker
    error = worker.error
    assert (error.stage, error.type, error.file, error.line) == (
        "call",
        "JSONDecodeError",
        "agent.py",
        3,
    )
    assert "Expecting value" in error.message
    assert "seatrial" not in error.traceback
    assert worker.log("stderr") == error.traceback
    assert worker.exit.code == 1
    assert worker.all(ResultFrame) == []


async def test_a_missing_module_is_named(run: Run) -> None:
    worker = (await run("import os\nfrom strands_missing.tools import x")).worker
    error = worker.error
    assert (error.stage, error.type, error.module) == (
        "load",
        "ModuleNotFoundError",
        "strands_missing",
    )
    assert (error.file, error.line) == ("agent.py", 2)


async def test_a_syntax_error_names_its_line(run: Run) -> None:
    error = (await run("x = 1\ndef run(q:\n")).worker.error
    assert (error.stage, error.type, error.file, error.line) == (
        "load",
        "SyntaxError",
        "agent.py",
        2,
    )


async def test_a_file_that_defines_nothing_to_call_has_no_entry_point(run: Run) -> None:
    worker = (await run("x = 1\ndef one(a): pass\ndef two(b): pass")).worker
    assert (worker.error.stage, worker.error.type) == ("detect", "NoEntryPoint")
    assert worker.all(ResultFrame) == []


async def test_a_name_that_is_not_there_is_no_entry_point(run: Run) -> None:
    worker = (await run("def run(q): return q", entry_point="agent.py:nope")).worker
    assert worker.error.type == "NoEntryPoint"
    assert "nope" in worker.error.message


async def test_a_function_that_wants_more_than_the_query_is_no_entry_point(run: Run) -> None:
    worker = (await run("def run(query, user, password): return query")).worker
    assert worker.error.type == "NoEntryPoint"
    assert "user, password" in worker.error.message


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys\nsys.exit(3)", (3, None)),
        ("import sys\ndef run(q): sys.exit('gave up')", (1, None)),
        ("import os\nos._exit(0)", (0, None)),
        ("import os\nos._exit(7)", (7, None)),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", (None, signal.SIGKILL)),
        ("import os\nos.abort()", (None, signal.SIGABRT)),
    ],
)
async def test_an_agent_that_ends_itself_has_no_result(
    run: Run, code: str, expected: tuple[int | None, int | None]
) -> None:
    worker = (await run(code)).worker
    assert (worker.exit.code, worker.exit.signal) == expected
    assert worker.exit.reason == "exited"
    assert worker.all(ResultFrame) == []
    assert worker.all(ErrorFrame) == []


async def test_a_response_over_the_limit_is_measured_and_left_out(run: Run) -> None:
    worker = (await run("def run(q): return 'R' * 5_000_000")).worker
    assert worker.result.too_large_bytes == 5_000_000
    assert worker.result.response == ""


async def test_a_printed_response_over_the_limit_is_measured_and_left_out(run: Run) -> None:
    worker = (await run("print('R' * 5_000_000)", log_bytes=100_000)).worker
    assert worker.result.too_large_bytes == 5_000_001
    assert worker.result.response == ""


async def test_a_response_of_a_mebibyte_arrives_whole(run: Run) -> None:
    worker = (await run("def run(q): return '\\x01é' * 300_000")).worker
    assert worker.result.response == "\x01é" * 300_000


async def test_stdin_ends_after_the_query(run: Run) -> None:
    code = (
        "import sys\nfirst = sys.stdin.read()\n"
        "try:\n    input()\nexcept EOFError:\n    print('EOF after', first)"
    )
    assert (await run(code)).worker.result.response == "EOF after hello"


async def test_a_program_that_does_not_exist_is_not_started(run: Run) -> None:
    worker = (await run("", python="/usr/bin/no-python")).worker
    assert worker.exit.reason == "not_started"
    assert "/usr/bin/no-python" in worker.exit.message
    assert worker.all(Begun) == []


@pytest.mark.parametrize("name", ["../escape.py", "/tmp/escape.py", "a/../../b.py", "", "a//b"])
async def test_a_file_outside_of_the_agents_folder_is_not_written(run: Run, name: str) -> None:
    worker = (await run("", files={name: "x"})).worker
    assert worker.exit.reason == "not_started"
    assert "safe relative path" in worker.exit.message


async def test_an_agent_does_not_run_as_root(run: Run) -> None:
    assert (await run("print(1)", uid=0)).worker.exit.reason == "not_started"


async def test_a_full_disk_is_told(run: Run) -> None:
    code = "open('/tmp/fill', 'wb').write(b'x' * 100_000_000)"
    worker = (await run(code)).worker
    assert worker.exit.disk_full
    assert "No space left" in worker.error.message


async def test_an_agent_that_answered_and_does_not_end_is_ended(run: Run) -> None:
    code = (
        "import threading, time\n"
        "def run(q):\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    return q"
    )
    worker = (await run(code)).worker
    assert worker.result.response == "hello"
    assert "killed_after_result" in worker.notices()
    assert (worker.exit.code, worker.exit.reason) == (0, "exited")
    assert worker.exit.wall_seconds < 50
