"""A recorded test answers itself: the same response without its model, changes told apart."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seatrial.client import Client
from seatrial.domain.credentials import Credential
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test
from tests.support import agents
from tests.support.serving import Serving

from .conftest import Provoked

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.timeout(400)]

AGENT = """
import os
import ollama

PROMPT = "You answer in one sentence."

def run(query):
    model = os.environ["SEATRIAL_MODEL"]
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": query}]
    options = {"temperature": 0.9, "num_predict": 16}
    said = ollama.chat(model=model, messages=messages, options=options).message.content
    messages += [{"role": "assistant", "content": said}, {"role": "user", "content": "And then?"}]
    parts = ollama.chat(model=model, messages=messages, options=options, stream=True)
    return said + "".join(part.message.content for part in parts)
"""


@contextmanager
def model_service() -> Generator[str]:
    """The real small model in a process that ends with the block."""
    command = [sys.executable, "-m", "seatrial.testmodel", "--port", "0", "--exit-with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def recorded_with_a_service_that_is_gone(client: Client) -> Test:
    """Also the credential that led to it is gone."""
    request = TestRequest(
        files=agents.files(AGENT),
        requirements="ollama>=0.5\n",
        query="What is the sea?",
        model="ollama:smollm2:135m",
        credential="there",
        record=True,
    )
    with model_service() as url:
        client.set_credential("there", Credential(provider="ollama", base_url=url))
        done = client.wait(client.submit(request).id)
    client.delete_credential("there")
    assert done.outcome is Outcome.SUCCEEDED, done.failure
    return done


def data_of(client: Client, test: Test, kind: type[Any]) -> list[Any]:
    return [event.data for event in client.events(test.id) if isinstance(event.data, kind)]


@pytest.mark.spec("US4-1", "US4-2", "FR-006")
@pytest.mark.provokes("model.replay_differs")
def test_a_replay_gives_the_same_response_without_its_model_and_tells_a_change(
    serving: Serving, provoked: Provoked, tmp_path: Path
) -> None:
    with serving.client() as client:
        recorded = recorded_with_a_service_that_is_gone(client)
        code, lines = serving.cli_json("tests", "retry", recorded.id, "--replay", "--json")
        same = client.test(lines[-1]["id"])
        changed = client.wait(
            client.retry(
                recorded.id,
                replay=True,
                files={"agent.py": AGENT.replace("one sentence", "two sentences")},
            ).id
        )
        calls = data_of(client, same, ModelCallEvent)
        notices = data_of(client, changed, NoticeEvent)
        provoked(changed, list(client.events(changed.id)))
        listed = client.recording(recorded.id)
        with pytest.raises(InvalidRequest, match="not recorded"):
            client.retry(client.submit(agent_without_model()).id, replay=True)

    assert code == 0, same.failure
    assert same.result is not None
    assert recorded.result is not None
    assert same.result.response == recorded.result.response
    assert same.result.replay_of == recorded.id
    assert [(call.replayed, call.recorded_call, call.error) for call in calls] == [
        (True, 1, None),
        (True, 2, None),
    ]
    assert same.metrics is not None
    assert recorded.metrics is not None
    assert same.metrics.replayed_calls == 2
    assert same.metrics.output_tokens == recorded.metrics.output_tokens > 0
    assert [call.status for call in listed.calls] == [200, 200]
    assert listed.calls[1].pieces > 1

    assert changed.failure is not None
    assert "messages[0].content" in changed.failure.message
    assert "two sentences" in changed.failure.message
    differing = [one for one in notices if one.code == "model.replay_differs"]
    assert [one["field"] for one in differing[0].data["differences"]] == ["messages[0].content"]

    saved = tmp_path / "calls.jsonl"
    done = serving.cli("tests", "recording", recorded.id, "-o", str(saved))
    assert done.returncode == 0, done.stderr
    first, second = [json.loads(line) for line in saved.read_text().splitlines()]
    assert "What is the sea?" in first["request"]["text"]
    assert second["answer"]["pieces"][0]["text"].startswith("{")


def agent_without_model() -> TestRequest:
    return TestRequest(files=agents.files(agents.ECHO), query="x", model="none")
