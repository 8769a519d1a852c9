"""What people type, end to end."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import agents
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def _agent(folder: Path, source: str) -> str:
    file = folder / "agent.py"
    file.write_text(source)
    return str(file)


@pytest.mark.model
@pytest.mark.spec("US1-1", "US1-6", "US3-6")
def test_run_prints_the_answer_and_what_it_took(serving: Serving, tmp_path: Path) -> None:
    done = serving.cli(
        "run", _agent(tmp_path, agents.ASK), "Name the capital of France.", "--model", "testmodel"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Paris" in done.stdout
    assert "memory" in done.stdout
    assert "CPU" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.spec("US3-1", "FR-003")
def test_run_prints_json_lines_and_the_whole_test_last(serving: Serving, tmp_path: Path) -> None:
    code, lines = serving.cli_json(
        "run", _agent(tmp_path, agents.ECHO), "hello", "--model", "none", "--json"
    )

    assert code == 0
    assert lines[-1]["outcome"] == "succeeded"
    assert lines[-1]["result"]["response"] == "echo: hello"
    assert [line["number"] for line in lines[:-1]] == list(range(1, len(lines)))


@pytest.mark.spec("FR-013", "SC-007")
@pytest.mark.parametrize(
    ("source", "arguments", "code", "shown"),
    [
        ("def run(q): raise ValueError('cold soup')", (), 1, "cold soup"),
        ("def run(:", (), 2, "agent.py"),
        (agents.STUBBORN, ("--timeout", "1"), 124, "time limit"),
        ("import yaml\ndef run(q): pass", (), 1, "pyyaml"),
    ],
)
def test_the_exit_code_and_the_screen_say_how_it_ended(
    serving: Serving, tmp_path: Path, source: str, arguments: tuple[str, ...], code: int, shown: str
) -> None:
    done = serving.cli("run", _agent(tmp_path, source), "q", "--model", "none", *arguments)

    assert done.returncode == code, done.stdout + done.stderr
    assert shown in done.stdout + done.stderr


@pytest.mark.spec("US4-1", "US4-2", "US4-3", "US4-4", "US4-6")
def test_tests_are_listed_shown_retried_and_deleted(serving: Serving, tmp_path: Path) -> None:
    _, lines = serving.cli_json(
        "run", _agent(tmp_path, agents.ECHO), "one", "--model", "none", "--json", "--name", "first"
    )
    test_id = lines[-1]["id"]

    assert test_id in serving.cli("tests", "list", "--json").stdout
    assert "working on one" in serving.cli("tests", "logs", test_id).stdout
    code, retried = serving.cli_json("tests", "retry", test_id, "--query", "two", "--json")
    assert code == 0
    assert retried[-1]["retry_of"] == test_id
    assert retried[-1]["result"]["response"] == "echo: two"
    _, shown = serving.cli_json("tests", "show", test_id, "--json")
    assert shown[-1] == lines[-1]
    assert serving.cli("tests", "delete", test_id).returncode == 0
    assert serving.cli("tests", "show", test_id).returncode == 2


@pytest.mark.spec("US4-5", "FR-011")
def test_ctrl_c_stops_the_test_and_says_so(serving: Serving, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    run = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "seatrial",
            "run",
            _agent(tmp_path, agents.SLOW),
            "600",
            "--model",
            "none",
        ],
        env={**serving.client_environment, "TERM": "xterm"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    shown = _read_until(leader, b"tick 3")
    run.send_signal(signal.SIGINT)
    shown += _read_until(leader, None)

    assert run.wait(30) == 130
    assert b"cancel" in shown.lower() or b"stop" in shown.lower()
    with serving.client() as client:
        assert client.tests(limit=1).tests[0].outcome == "cancelled"


def _read_until(descriptor: int, text: bytes | None) -> bytes:
    """What the terminal shows until the text, or until its end."""
    shown = b""
    deadline = time.monotonic() + 60
    while text is None or text not in shown:
        assert time.monotonic() < deadline, shown
        try:
            data = os.read(descriptor, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
    return shown


@pytest.mark.spec("US1-1")
def test_run_starts_the_owner_of_the_data_folder_and_serve_stop_ends_it(
    engine_url: str, tmp_path: Path
) -> None:
    lonely = Serving({"docker_host": engine_url})
    environment = lonely.environment
    try:
        command = [sys.executable, "-m", "seatrial"]
        run = subprocess.run(
            [*command, "run", _agent(tmp_path, agents.ECHO), "hi", "--model", "none"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert "echo: hi" in run.stdout
        stopped = subprocess.run(
            [*command, "serve", "--stop"], env=environment, capture_output=True, check=False
        )
        assert stopped.returncode == 0
        assert not (lonely.data_dir / "seatrial.sock").exists() or _refuses(lonely.data_dir)
    finally:
        lonely.close()


def _refuses(data_dir: Path) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(data_dir / "seatrial.sock")) != 0


@pytest.mark.spec("SC-001", "edge-1")
def test_doctor_says_what_is_there(serving: Serving) -> None:
    code, [*findings] = serving.cli_json("doctor", "--json")

    names = {finding["name"]: finding for finding in findings}
    assert names["engine"]["state"] in {"ok", "warning"}
    assert names["limits"]["state"] == "ok", names["limits"]
    assert (
        "memory, CPU, processes, disk, a read-only image and the filter"
        in names["limits"]["detail"]
    )
    assert {finding["name"] for finding in findings} >= {"disk", "package index"}
    assert all(one["state"] == "ok" or one["what_to_do"] for one in findings), findings
    assert names["base image"]["state"] == "ok"
    assert names["door"]["detail"].startswith("socket: a socket of this machine answers")
    assert code == 0


@pytest.mark.spec("FR-014")
def test_an_address_beyond_this_machine_is_refused_without_tokens(serving: Serving) -> None:
    done = serving.cli("serve", "--host", "0.0.0.0")

    assert done.returncode == 3
    assert "SEATRIAL_REQUIRE_TOKEN" in done.stdout + done.stderr
