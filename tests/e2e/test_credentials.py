"""A stored credential is used by the agent's calls and is nowhere to be found."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from seatrial.domain.phases import Outcome
from seatrial.testing.providers import Mode, ScriptedOpenAI
from tests.support import agents
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(200)]

CANARY = "sk-canary/e2e+5f3a9c71d2"

AGENT = '''
import os, pathlib, urllib.error, urllib.request

def run(query):
    """Tell everything that can be seen from inside, and what an echoing model answers."""
    seen = [repr(dict(os.environ))]
    for path in pathlib.Path("/proc").glob("[0-9]*/*"):
        if path.name in ("environ", "cmdline"):
            try:
                seen.append(repr(path.read_bytes()))
            except OSError:
                pass
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        b'{"model": "scripted", "messages": [{"role": "user", "content": "hi"}]}',
        {"Content-Type": "application/json", "Authorization": "Bearer dummy"})
    try:
        with urllib.request.urlopen(request) as answer:
            seen += [repr(answer.headers.items()), answer.read().decode()]
    except urllib.error.HTTPError as error:
        seen += [repr(error.headers.items()), error.read().decode()]
    text = "\\n".join(seen)
    print(text, flush=True)
    return text
'''


def encodings() -> list[bytes]:
    """The canary as it might stand somewhere; base64 at each of its three offsets."""
    raw = CANARY.encode()
    shifted = [base64.b64encode(b"x" * n + raw)[4:-4] for n in range(3)]
    return [
        raw,
        raw[::-1],
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote(CANARY, safe="").encode(),
        json.dumps(CANARY).replace("/", "\\/").strip('"').encode(),
        *shifted,
        *(one.replace(b"+", b"-").replace(b"/", b"_") for one in shifted),
    ]


@contextmanager
def scripted() -> Generator[ScriptedOpenAI]:
    """The scripted service in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    service = ScriptedOpenAI(models=("scripted",))
    asyncio.run_coroutine_threadsafe(service.__aenter__(), loop).result(10)
    try:
        yield service
    finally:
        asyncio.run_coroutine_threadsafe(service.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def processes() -> bytes:
    """Arguments and environments of every process that can be looked at, except this test's."""
    found: list[bytes] = []
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        for name in ("cmdline", "environ"):
            try:
                found.append((folder / name).read_bytes())
            except OSError:
                continue
    return b"\n".join(found)


@pytest.mark.spec("FR-002", "FR-008")
def test_a_stored_key_reaches_the_model_service_and_no_other_place(
    make_serving: Callable[..., Serving],
) -> None:
    serving = make_serving()
    with scripted() as service, serving.client() as client:
        address = f"{service.url}/v1"
        options = ("--provider", "openai", "--stdin", "--base-url", address)
        typed = [serving.cli("credentials", "set", "work", *options, stdin=CANARY)]
        assert typed[0].returncode == 0, typed[0].stderr
        typed.append(serving.cli("credentials", "list", "--json"))

        test = client.submit(
            files=agents.files(AGENT), query="x", model="openai:scripted", credential="work"
        )
        service.mode = Mode.ECHO
        done = client.wait(test.id)
        running = processes()
        typed.append(serving.cli("tests", "logs", test.id))
        typed.append(serving.cli("credentials", "rotate"))
        with httpx.Client(base_url=f"{serving.url}/api/v1", headers=serving.headers) as api:
            paths = ("/credentials", "/credentials/work", f"/tests/{test.id}", "/tests")
            answers = [
                api.get(path).content
                for path in (*paths, f"/tests/{test.id}/events", "/providers", "/queue")
            ]
        calls = [seen for seen in service.requests if seen.method == "POST"]

    assert done.result is not None, done.failure
    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert [call.headers["Authorization"] for call in calls] == [f"Bearer {CANARY}"]
    assert typed[-1].returncode == 0, typed[-1].stderr
    serving.stop()
    places = {
        "answers": b"\n".join(answers),
        "command line": "\n".join(one.stdout + one.stderr for one in typed).encode(),
        "processes": running,
        **{str(p): p.read_bytes() for p in serving.data_dir.rglob("*") if p.is_file()},
    }
    # The search looks where something is: the echo came through, and the row is in the file.
    assert b"X-Echo" in places["answers"]
    assert any(b"seatrial1." in text for name, text in places.items() if "seatrial.db" in name)
    found = [(name, form) for name, text in places.items() for form in encodings() if form in text]
    assert found == []


@pytest.mark.spec("FR-002")
def test_a_stored_address_that_no_user_may_name_is_not_reached(
    make_serving: Callable[..., Serving],
) -> None:
    serving = make_serving(private_base_urls="0")
    with scripted() as service, serving.client() as client:
        options = ("--provider", "openai", "--stdin", "--base-url", f"{service.url}/v1")
        assert serving.cli("credentials", "set", "a", *options, stdin=CANARY).returncode == 0
        done = client.wait(
            client.submit(files=agents.files(agents.ECHO), query="x", model="openai:m").id
        )
        assert service.requests == []
    assert done.failure is not None
    assert done.failure.code == "model.unreachable"
    assert "loopback" in done.failure.message
