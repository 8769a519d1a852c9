"""The command starts fast and says everything about itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_COMMANDS = [
    [],
    ["run"],
    ["serve"],
    ["worker"],
    ["tests"],
    *(["tests", one] for one in ("list", "show", "logs", "stop", "retry", "delete", "clear")),
    ["environments"],
    ["environments", "list"],
    ["environments", "prune"],
    ["providers"],
    ["providers", "pull"],
    ["queue"],
    ["doctor"],
    ["users"],
    ["users", "token"],
    ["users", "revoke"],
    ["webhooks", "secret"],
    ["openapi"],
]


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_help_needs_none_of_the_libraries_that_commands_need() -> None:
    code = (
        "import sys, seatrial.cli.main as m\n"
        "try: m.app(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx', 'rich', 'fastapi', 'sqlalchemy', 'seatrial.client',"
        " 'seatrial.settings', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", _COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = _run(*command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    nouns = {"tests", "environments", "users"}
    assert "seatrial" in done.stdout
    assert "Example" in done.stdout or (len(command) == 1 and command[0] in nouns)


def test_wrong_usage_is_bad_input() -> None:
    for arguments in (["run"], ["nothing"], ["run", "a.py", "q", "--timeout", "soon"]):
        done = _run(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_no_server_is_a_platform_fault_that_says_what_to_do() -> None:
    done = _run("--url", "http://127.0.0.1:9", "tests", "list")
    assert done.returncode == 3
    assert "seatrial serve" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_trace_is_shown_to_those_who_ask_for_it() -> None:
    done = _run("--url", "http://127.0.0.1:9", "queue", SEATRIAL_LOG_LEVEL="debug")
    assert "Traceback" in done.stderr


def test_a_setting_that_cannot_be_is_named() -> None:
    done = _run("--url", "http://127.0.0.1:9", "queue", SEATRIAL_PORT="many")
    assert done.returncode == 2
    assert "SEATRIAL_PORT" in done.stderr


def test_bad_code_is_refused_before_any_server_is_asked(tmp_path: os.PathLike[str]) -> None:
    agent = os.path.join(tmp_path, "agent.py")
    with open(agent, "w", encoding="utf-8") as file:
        file.write("def run(:")
    done = _run("--url", "http://127.0.0.1:9", "run", agent, "q")
    assert done.returncode == 2
    assert f"{agent}:1:9" in done.stderr


def test_the_token_is_no_option_since_arguments_are_seen_by_others() -> None:
    assert _run("--token", "st_x", "queue").returncode == 2


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    done = subprocess.run(
        f"{sys.executable} -m seatrial.cli.main openapi | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
