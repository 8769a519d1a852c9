"""A laptop's other users, its programs and its logs: who gets at the product's port, and how."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from seatrial.client import Client
from seatrial.domain.errors import LocalTokenNeeded
from tests.support import agents
from tests.support.serving import Serving, free_port

pytestmark = [pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
OPEN_TO_ALL = {"/healthz", "/readyz"}
OTHER_USER = "65534"
PRINTED = re.compile(r"http://127\.0\.0\.1:\d+/#token=(st_[\w-]{43})")
STEALS = """
import json, os, sys, urllib.error, urllib.request

url, data_dir = sys.argv[1:]
answers = {"uid": os.getuid(), "operations": []}

def ask(method, path):
    body = b"{}" if method in ("POST", "PUT") else None
    request = urllib.request.Request(url + path, body, {"Content-Type": "application/json"})
    request.method = method
    try:
        return urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        return error

paths = json.load(ask("GET", "/api/v1/openapi.json"))["paths"]
for path, methods in paths.items():
    for method in methods:
        filled = path.replace("{", "").replace("}", "")
        answers["operations"].append((method, path, ask(method.upper(), filled).status))
for name in ("local.token", "listening.json", "seatrial.sock", "serve.log"):
    try:
        open(os.path.join(data_dir, name)).read()
        answers[name] = "readable"
    except OSError as error:
        answers[name] = type(error).__name__
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """The product as it starts by default; its worker is elsewhere."""
    process = Serving(arguments=("--no-worker",)).start()
    yield process
    process.close()


def typed(serving: Serving, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the same user, without an address."""
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *arguments],
        env=serving.environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.spec("FR-014")
def test_another_local_user_gets_no_operation_and_no_token(serving: Serving) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    as_other = ("setpriv", "--reuid", OTHER_USER, "--regid", OTHER_USER, "--clear-groups")
    ran = subprocess.run(
        [*as_other, "/usr/bin/python3", "-I", "-c", STEALS, serving.url, str(serving.data_dir)],
        capture_output=True,
        text=True,
        cwd="/",
        check=True,
    )
    answers = json.loads(ran.stdout)
    assert answers["uid"] == int(OTHER_USER)
    assert len(answers["operations"]) >= 20
    for method, path, status in answers["operations"]:
        assert status == (200 if path in OPEN_TO_ALL else 401), (method, path)
    # The server has made what was looked for, and its user can read it.
    for name in ("local.token", "listening.json", "seatrial.sock"):
        assert (serving.data_dir / name).exists()
        assert answers[name] in {"PermissionError", "FileNotFoundError"}, name
    assert serving.token is not None
    assert serving.token not in ran.stdout


def test_without_the_token_only_health_and_the_page_answer(serving: Serving) -> None:
    with httpx.Client(base_url=serving.url) as nobody:
        for path in ("/healthz", "/readyz", "/api/v1/openapi.json", "/embed.js"):
            assert nobody.get(path).status_code == 200, path
        for path in ("/", "/tests", "/tests/t0", "/sign-in", "/status"):
            assert (
                "text/html"
                in nobody.get(path, headers={"accept": "text/html"}).headers["content-type"]
            )
        for path in ("/metrics", "/api/v1/session", "/api/v1/metrics"):
            assert nobody.get(path).status_code == 401, path
            assert nobody.get(path, headers=serving.headers).status_code == 200, path


def test_the_command_line_and_python_need_no_token_by_the_socket(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed(serving, "queue").returncode == 0
    monkeypatch.setenv("SEATRIAL_DATA_DIR", str(serving.data_dir))
    with Client() as client:
        assert client.session().local
    with Client(serving.url) as client, pytest.raises(LocalTokenNeeded):
        client.session()


def test_a_command_for_the_port_without_the_token_says_where_it_is(serving: Serving) -> None:
    refused = typed(serving, "--url", serving.url, "queue")
    assert refused.returncode != 0
    assert "seatrial serve --show-token" in refused.stderr
    assert "Traceback" not in refused.stderr
    in_arguments = typed(serving, "--url", serving.page_url, "queue")
    assert in_arguments.returncode == 2
    assert "SEATRIAL_TOKEN" in in_arguments.stderr
    assert str(serving.token) not in in_arguments.stderr


def test_the_address_is_printed_again_for_the_server_that_runs(serving: Serving) -> None:
    # This shell knows nothing of the port.
    elsewhere = Serving(data_dir=serving.data_dir, port=free_port())
    shown = typed(elsewhere, "serve", "--show-url")
    assert (shown.returncode, shown.stdout.strip(), shown.stderr) == (0, serving.page_url, "")
    token = typed(elsewhere, "serve", "--show-token").stdout.strip()
    assert token == serving.token
    with httpx.Client(headers={"authorization": f"Bearer {token}"}) as client:
        assert client.get(f"{serving.url}/api/v1/session").json()["local"] is True


def test_the_token_is_the_same_after_a_restart_and_in_no_log() -> None:
    process = Serving(arguments=("--no-worker",), settings={"log_level": "debug"}).start()
    try:
        first = process.token
        assert first is not None
        with httpx.Client(base_url=process.url) as client:
            for headers in (process.headers, {"authorization": "Bearer st_wrong"}):
                client.get("/api/v1/tests", headers=headers)
            client.get("/api/v1/tests", params={"token": first})
            # What makes the server itself complain.
            client.post("/api/v1/tests", content=b"\xff", headers=process.headers)
        process.kill()
        process.start()
        assert process.token == first
        assert "Seatrial serves on http://127.0.0.1" in process.log
        assert "--show-url" in process.log
        for file in process.data_dir.iterdir():
            if file.is_file() and file.name != "local.token":
                assert first.encode() not in file.read_bytes(), file.name
    finally:
        process.close()
    shown = typed(process, "serve", "--show-url")
    assert "No server listens" in shown.stderr


def test_a_terminal_shows_the_address_that_can_be_clicked() -> None:
    process = Serving()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "seatrial", "serve", "--no-worker"]
    serve = subprocess.Popen(
        command, env=process.environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        printed = PRINTED.search(_until(ours, PRINTED))
        assert printed is not None
        assert printed.group() == process.page_url
        assert printed.group(1) == process.token
    finally:
        serve.terminate()
        serve.wait(60)
        os.close(ours)
        process.close()


def _until(terminal: int, pattern: re.Pattern[str], seconds: float = 120) -> str:
    """What was written to the terminal until the pattern is in it."""
    shown, deadline = "", time.monotonic() + seconds
    while not pattern.search(shown) and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
    return shown


def test_a_port_that_asks_for_nothing_says_so_in_one_line() -> None:
    process = Serving({"require_token": "0"}, arguments=("--no-worker",)).start()
    try:
        assert httpx.get(f"{process.url}/api/v1/session").json()["local"] is True
        warnings = [line for line in process.log.splitlines() if "SEATRIAL_REQUIRE_TOKEN=0" in line]
        assert len(warnings) == 1
        assert "Warning" in warnings[0]
        assert typed(process, "serve", "--show-url").stdout.strip() == process.url
    finally:
        process.close()


def test_where_users_have_accounts_the_local_token_opens_nothing() -> None:
    process = Serving(arguments=("--no-worker",)).start()
    guarded = Serving({"require_token": "1"}, ("--no-worker",), data_dir=process.data_dir)
    try:
        headers = process.headers
        process.stop()
        guarded.start()
        answer = httpx.get(f"{guarded.url}/api/v1/session", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        refused = typed(guarded, "serve", "--show-token")
        assert (refused.returncode, refused.stdout) == (3, "")
        assert "seatrial users token" in refused.stderr
    finally:
        guarded.close()


def test_what_run_starts_in_the_background_logs_no_token_and_opens_no_port(
    tmp_path: Path,
) -> None:
    lonely = Serving({"engine": "fake"})
    agent = tmp_path / "agent.py"
    agent.write_text(agents.ECHO)
    try:
        token = typed(lonely, "serve", "--show-token").stdout.strip()
        ran = typed(lonely, "run", str(agent), "hi", "--model", "none")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        log = (lonely.data_dir / "serve.log").read_text()
        assert log
        assert token == lonely.token
        assert token not in log + ran.stdout + ran.stderr
        with pytest.raises(httpx.ConnectError):
            httpx.get(lonely.url)
    finally:
        typed(lonely, "serve", "--stop")
        lonely.close()
