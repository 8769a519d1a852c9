"""Canaries in every place for secrets, and a search of every place where none may be."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from seatrial.client import Client
from seatrial.domain.events import LogEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Test
from tests.support import agents
from tests.support.databases import PostgresDatabases
from tests.support.leaky import LeakyService, leaky_service
from tests.support.postgres import PostgresServer
from tests.support.serving import Serving
from tests.support.written import traces

from .conftest import serve_on

pytestmark = [pytest.mark.engine, pytest.mark.timeout(280)]

OPERATOR = "sk-canary/op+9f31c7aa02be"
AWS_KEY, AWS_SECRET = "AKIACANARY0000000077", "canary/aws+secret/40/characters/long/77x"
USERS = "sk-canary/user+5f3a9c71d2e8"
TOOL = "canary/tool+1b7d/44e0c2f9"
IN_NO_CONTAINER = (OPERATOR, AWS_KEY, AWS_SECRET, USERS)
EVERY = (*IN_NO_CONTAINER, TOOL)

AGENT = '''
import base64, json, os, pathlib, urllib.error, urllib.request, zlib

def ask(how):
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps({"model": "m", "messages": [{"role": "user", "content": how}]}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer dummy"})
    try:
        with urllib.request.urlopen(request) as answer:
            return repr(answer.headers.items()), answer.read().decode("latin-1")
    except urllib.error.HTTPError as error:
        return repr(error.headers.items()), error.read().decode("latin-1")

def readable(root, most=200_000):
    for path in pathlib.Path(root).rglob("*"):
        try:
            if path.is_file():
                with path.open("rb") as file:
                    yield str(path), file.read(most).decode("latin-1")
        except OSError:
            pass

def processes():
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline", "status", "maps"):
            try:
                yield str(folder / name), (folder / name).read_bytes().decode("latin-1")
            except OSError:
                pass

def run(query):
    """Give away what is known, in the clear and coded, and dump the rest beyond recognition."""
    token = os.environ.get("WEATHER_TOKEN", "")
    answers = {how: ask(how) for how in ("echo", "refuse", "redirect", "trickle", "hold")}
    dump = {"environ": dict(os.environ), "answers": answers, "processes": dict(processes())}
    dump["files"] = {}
    for root in ("/agent", "/tmp", "/home", "/run", "/seatrial", "/etc", "/var/tmp", "/dev/shm"):
        dump["files"].update(readable(root))
    packed = base64.b64encode(zlib.compress(json.dumps(dump).encode())).decode()
    print("DUMP", packed, "END", flush=True)
    print("token", token, base64.b64encode(b"k" + token.encode()).decode(), token[::-1])
    print(token.encode().hex(), "\\n".join(token), flush=True)
    try:
        ask("x" + token)
    except Exception as error:
        print(error)
    if query == "fail":
        raise ValueError("no luck with " + token)
    return {"text": "the token is " + token, "all": [token, list(token)]}
'''

AS_NOBODY = """
import os, pathlib, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    for name in ("cmdline", "environ"):
        try:
            sys.stdout.buffer.write((folder / name).read_bytes() + b"\\n")
        except OSError:
            pass
"""


@dataclass(frozen=True)
class Database:
    """Where the server keeps its data: SQLite in its folder, or a PostgreSQL that is dumped."""

    url: str | None = None

    def dump(self) -> bytes:
        """All of a PostgreSQL as text; SQLite's files are looked at themselves."""
        if self.url is None:
            return b""
        program = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1]
        plain = self.url.replace("postgresql+asyncpg", "postgresql")
        done = subprocess.run(
            [program, "--inserts", plain], capture_output=True, check=True, timeout=60
        )
        return done.stdout


@pytest.fixture
def engine_url(request: pytest.FixtureRequest, engine: str) -> str:
    """Where the engine listens."""
    return str(request.getfixturevalue(f"{engine}_socket"))


@pytest.fixture
def database(request: pytest.FixtureRequest, engine: str) -> Database:
    """PostgreSQL where the engine is Podman, else SQLite."""
    if engine != "podman":
        return Database()
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return Database(PostgresDatabases(server).empty())


@pytest.fixture
def serving(
    engine: str, engine_url: str, engine_images: Path, database: Database
) -> Iterator[Serving]:
    """A server that holds the operator's keys."""
    keys = {
        "OPENAI_API_KEY": OPERATOR,
        "AWS_ACCESS_KEY_ID": AWS_KEY,
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
    }
    where = {"database_url": database.url} if database.url else {}
    process = serve_on(engine, engine_url, engine_images, keys, **where)
    yield process
    process.close()


def files_of(serving: Serving) -> dict[str, bytes]:
    """Every file of the data folder: database, logs, keys."""
    return {str(p): p.read_bytes() for p in serving.data_dir.rglob("*") if p.is_file()}


def found(text: bytes, secrets: tuple[str, ...]) -> list[bytes]:
    return [trace for secret in secrets for trace in traces(secret) if trace in text]


def nobodys_view() -> bytes:
    """Arguments and environments of all processes, as another user of the machine sees them."""
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, check=False)
    return done.stdout


def inspected(engine_url: str, test_id: str) -> bytes:
    """What the engine tells of the test's containers."""
    transport = httpx.HTTPTransport(uds=engine_url.removeprefix("unix://"))
    with httpx.Client(transport=transport, base_url="http://engine", timeout=60) as api:
        listed = api.get("/v1.41/containers/json", params={"all": "1"}).json()
        mine = [one["Id"] for one in listed if one["Labels"].get("seatrial") == test_id]
        assert mine, "the container must be there while its agent waits"
        return b"".join(api.get(f"/v1.41/containers/{one}/json").content for one in mine)


def dumped(client: Client, test: Test) -> dict[str, Any]:
    """What the agent saw, unpacked from its log: compressed, it passed every search."""
    events = client.events(test.id)
    text = "".join(e.data.text for e in events if isinstance(e.data, LogEvent))
    packed = text.partition("DUMP ")[2].partition(" END")[0]
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def store_canaries(serving: Serving, service: LeakyService) -> list[str]:
    """The user's model key and tool secret, through the command line."""
    options = ("--provider", "openai", "--stdin", "--base-url", service.url)
    typed = [
        serving.cli("credentials", "set", "mine", *options, stdin=USERS),
        serving.cli("credentials", "set", "weather", "--provider", "secret", "--stdin", stdin=TOOL),
        serving.cli("credentials", "list", "--json"),
    ]
    assert [one.returncode for one in typed] == [0, 0, 0], [one.stderr for one in typed]
    return [one.stdout + one.stderr for one in typed]


def answers_of(serving: Serving, test_id: str) -> bytes:
    paths = (f"/tests/{test_id}", f"/tests/{test_id}/events", "/tests", "/credentials")
    base = f"{serving.url}/api/v1"
    with httpx.Client(base_url=base, headers=serving.headers, timeout=60) as api:
        return b"\n".join(api.get(path).content for path in paths)


def check_receipt(test: Test) -> None:
    assert test.receipt is not None
    places = test.receipt.leaks.places
    assert {"stdout", "result"} <= {name for name, scan in places.items() if scan.hits}
    assert places["stdout"].bytes > 1000
    assert places["request"].hits == 0
    assert places["sent"].hits == 1
    assert test.receipt.leaked_artifacts == ("result",)
    assert test.receipt.exposed == {"WEATHER_TOKEN": "weather"}


def check_container(dump: Mapping[str, Any]) -> None:
    """The agent has its tool secret and no other, and no process shows even that one."""
    assert dump["environ"]["WEATHER_TOKEN"] == TOOL
    assert dump["environ"]["CITY"] == "Lübeck=1"
    everything = json.dumps(dump, ensure_ascii=False).encode()
    assert found(everything, IN_NO_CONTAINER) == []
    outside = json.dumps([dump["processes"], dump["files"]], ensure_ascii=False).encode()
    assert found(outside, EVERY) == []
    assert set(dump["answers"]) == {"echo", "refuse", "redirect", "trickle", "hold"}
    assert "*" * len(USERS) in dump["answers"]["trickle"][1]
    assert any(name.endswith("/environ") for name in dump["processes"])


@pytest.mark.spec("FR-002", "FR-008")
def test_no_canary_is_anywhere_but_where_it_belongs(
    serving: Serving, engine_url: str, database: Database
) -> None:
    with leaky_service() as service, serving.client() as client:
        typed = store_canaries(serving, service)
        test = client.submit(
            files=agents.files(AGENT),
            query="x",
            model="openai:m",
            credential="mine",
            env={"CITY": "Lübeck=1"},
            secrets={"WEATHER_TOKEN": "weather"},
            # Else the call that holds the token would not get as far as the service's answer.
            allow=("secret=WEATHER_TOKEN",),
        )
        assert service.reached.wait(120), client.test(test.id)
        seen = {"processes": nobodys_view(), "inspect": inspected(engine_url, test.id)}
        service.let_go.set()
        done = client.wait(test.id)
        assert done.outcome is Outcome.SUCCEEDED, done.failure
        assert set(service.keys) == {USERS}
        check_container(dumped(client, done))
        check_receipt(done)
        failed = client.wait(client.retry(test.id, query="fail").id)
        assert failed.failure is not None
        assert failed.failure.code == "agent.exception"
        typed.append(serving.cli("tests", "show", test.id).stdout)
        seen["answers"] = answers_of(serving, test.id) + answers_of(serving, failed.id)
    seen["typed"] = "\n".join(typed).encode()
    # While it is open, so that SQLite's write-ahead log is there too, and again afterwards.
    seen |= {f"open {name}": text for name, text in files_of(serving).items()}
    serving.stop()
    seen |= files_of(serving)
    seen["dump"] = database.dump()
    assert "exposed" in typed[-1]
    assert "No package is made" in typed[-1]
    assert any("seatrial1." in text.decode("latin-1") for text in seen.values())
    assert {name: traces for name, text in seen.items() if (traces := found(text, EVERY))} == {}
    # The search looks where something is.
    assert b"seatrial" in seen["processes"]
    assert b"the token is" in seen["answers"]
    stored = [text for name, text in seen.items() if "seatrial.db" in name or name == "dump"]
    assert b"the token is" in b"".join(stored)
