"""What an agent may have its model service do beyond answering, through real containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seatrial.domain.credentials import TOOL_SECRET, Credential
from seatrial.domain.events import Event
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test
from tests.support import scripted
from tests.support.serving import Serving

from .conftest import Provoked

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

SENDS = """
import json, os, urllib.request

def run(query):
    message = {"role": "user", "content": query.replace("TOKEN", os.environ.get("WEATHER", ""))}
    if query.startswith("http"):
        message["images"] = [query]
    body = json.dumps({"model": os.environ["SEATRIAL_MODEL"], "messages": [message],
                       "stream": False}).encode()
    request = urllib.request.Request(os.environ["OLLAMA_HOST"] + "/api/chat", body)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["message"]["content"]
"""

TOKEN = "weather-token-of-the-owner-4711"


@pytest.fixture(scope="module")
def served(engine_url: str) -> Iterator[Serving]:
    """A server with scripted model services and one stored secret."""
    with scripted.services() as services:
        process = Serving({"docker_host": engine_url}, extra_environment=services.environment)
        with process.start().client() as client:
            client.set_credential("weather", Credential(provider=TOOL_SECRET, value=TOKEN))
        yield process
        process.close()


def ran(served: Serving, query: str, **fields: Any) -> tuple[Test, list[Event]]:
    files = {"agent.py": SENDS}
    given = {"files": files, "query": query, "model": "ollama:scripted", **fields}
    with served.client() as client:
        done = client.wait(client.submit(TestRequest.model_validate(given)).id)
        return done, list(client.events(done.id, follow=False))


@pytest.mark.spec("FR-008", "FR-013")
@pytest.mark.provokes("agent.reach_not_allowed")
def test_an_address_that_the_model_shall_fetch_is_refused_and_the_fix_allows_it(
    served: Serving, provoked: Provoked
) -> None:
    done, events = ran(served, "https://elsewhere.invalid/?data=1")
    provoked(done, events)
    assert done.failure is not None
    assert done.failure.fix == {"add_allow": "urls=elsewhere.invalid"}
    assert "--allow urls=elsewhere.invalid" in done.failure.what_to_do
    with served.client() as client:
        again = client.wait(client.retry(done.id, allow=("urls=elsewhere.invalid",)).id)
    assert again.outcome is Outcome.SUCCEEDED
    assert again.receipt is not None
    assert again.receipt.allowed == {"urls=elsewhere.invalid": True}


@pytest.mark.spec("FR-008", "FR-013")
@pytest.mark.provokes("agent.secret_sent")
def test_a_stored_secret_does_not_go_to_the_model_unless_the_test_says_so(
    served: Serving, provoked: Provoked
) -> None:
    done, events = ran(served, "The token is TOKEN.", secrets={"WEATHER": "weather"})
    provoked(done, events)
    assert done.failure is not None
    assert done.receipt is not None
    assert done.failure.fix == {"add_allow": "secret=WEATHER"}
    assert done.receipt.leaks.places["sent"].hits == 1
    with served.client() as client:
        again = client.wait(client.retry(done.id, allow=("secret=WEATHER",)).id)
    assert again.outcome is Outcome.SUCCEEDED
    assert again.receipt is not None
    assert again.receipt.allowed == {"secret=WEATHER": True}
    sent = again.receipt.leaks.places["sent"]
    assert sent.hits == 1
    assert sent.bytes > 0


def test_what_is_allowed_and_not_used_is_told_as_such(served: Serving) -> None:
    done, _ = ran(served, "hello", allow=("hosted-tools",), secrets={"WEATHER": "weather"})
    assert done.outcome is Outcome.SUCCEEDED
    assert done.receipt is not None
    assert done.receipt.allowed == {"hosted-tools": False}
    assert done.receipt.leaks.places["sent"].hits == 0
