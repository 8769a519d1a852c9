"""Another user of this machine, while a test of ours runs: sees nothing, takes nothing."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.client import Client
from seatrial.domain.credentials import Credential
from seatrial.domain.events import LogEvent
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.other_user import stranger_at
from tests.support.serving import Serving

from .test_without_root import GROUP, REGISTRY, USER, users_python

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]

SECRET = "weather-token-4711-of-the-owner"
AGENT = """
import os, time, urllib.error, urllib.request

def run(query):
    print("working", flush=True)
    time.sleep(2)
    try:
        urllib.request.urlopen("http://127.0.0.1:11434/api/tags")
    except urllib.error.HTTPError as error:
        print("the gateway answers", error.code, flush=True)
    return query + " " + str(len(os.environ["TOK"]))
"""
CONTAINERS_READ = ("harness/*", "environments/shared", "environments/uv", "engine", "slots/*/door")
"""What containers mount or an engine keeps, in a folder that other users do not pass."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that other users may pass through."""
    made = Path(tempfile.mkdtemp(prefix="st-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(params=["root", "user"])
def serving(request: pytest.FixtureRequest, engine_url: str, folder: Path) -> Iterator[Serving]:
    """The server as root, and as a user of the engine's group; its folder is an old, open one."""
    data = folder / "data"
    data.mkdir(mode=0o711)
    (data / "slots").mkdir(mode=0o755)
    (data / "serve.log").write_text("of an earlier version\n")
    settings = {"docker_host": engine_url, "registry": REGISTRY}
    process = Serving(settings, data_dir=data)
    if request.param == "user":
        socket = Path(engine_url.removeprefix("unix://"))
        os.chown(socket, 0, GROUP)
        socket.chmod(0o660)
        for path in (data, *data.iterdir()):
            os.chown(path, USER, GROUP)
        process.python = users_python(folder)
    yield process.start()
    process.close()


@pytest.mark.spec("FR-011", "FR-012")
def test_another_user_sees_and_takes_nothing_of_a_running_test(
    serving: Serving, folder: Path
) -> None:
    slots = serving.data_dir / "slots"
    with serving.client() as client, stranger_at(slots, folder) as stranger:
        client.set_credential("weather", Credential(provider="secret", value=SECRET))
        test = client.submit(
            files=agents.files(AGENT), query="ours", model="none", secrets={"TOK": "weather"}
        )
        stranger.hears_of(*[f"seatrial-{test.id}-{attempt}" for attempt in (1, 2, 3)])
        _until_printed(client, test.id, "working")
        assert os.listdir(slots) == [f"seatrial-{test.id}-1"]
        done = client.wait(test.id)

    assert stranger.got == []
    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.attempt == 1
    assert done.result is not None
    assert done.result.response == f"ours {len(SECRET)}"
    assert "outside of the container" not in serving.log


def test_nothing_in_the_data_folder_is_open_to_other_users(serving: Serving) -> None:
    with serving.client() as client:
        client.set_credential("weather", Credential(provider="secret", value=SECRET))
        test = client.submit(
            files=agents.files(AGENT), query="q", model="none", secrets={"TOK": "weather"}
        )
        _until_printed(client, test.id, "working")
        assert _open_to_others(serving.data_dir) == []
        client.wait(test.id)
    assert serving.stop() == 0
    assert _open_to_others(serving.data_dir) == []


def _until_printed(client: Client, test_id: str, text: str) -> None:
    for event in client.events(test_id):
        if isinstance(event.data, LogEvent) and text in event.data.text:
            return
    raise AssertionError(f"{text!r} was never printed")


def _open_to_others(data: Path) -> list[str]:
    """What group or others may do anything with, except what containers have to reach."""
    mounted = [path for pattern in CONTAINERS_READ for path in data.glob(pattern)]
    mounted.append(data / "test-serve.log")  # opened by the test itself
    found = list[str]()
    for path in (data, *data.rglob("*")):
        mode = path.lstat().st_mode
        is_mounted = any(path.is_relative_to(one) for one in mounted)
        if mode & 0o077 and not is_mounted and not stat.S_ISLNK(mode):
            found.append(f"{path.relative_to(data)} {stat.filemode(mode)}")
    return found
