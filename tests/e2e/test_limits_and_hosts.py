"""Budgets, rates, lost providers and allowed hosts, through real containers on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seatrial.domain.events import Event, ModelCallEvent, NoticeEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import LimitChanges, Limits, TestRequest
from seatrial.domain.tests import Test
from seatrial.testing.providers.modes import Mode, cue
from tests.support import scripted
from tests.support.serving import Serving
from tests.support.tls_host import ANSWER, TlsHost, tls_host

from .conftest import Provoked

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

CALLS = """
import json, os, urllib.request

def run(query):
    count, _, text = query.partition(" ")
    body = json.dumps({"model": os.environ["SEATRIAL_MODEL"],
                       "messages": [{"role": "user", "content": text}]}).encode()
    for number in range(int(count)):
        request = urllib.request.Request(os.environ["OLLAMA_HOST"] + "/api/chat", body)
        with urllib.request.urlopen(request) as answer:
            print(number, answer.read().count(b"message"), flush=True)
    return f"{count} answers"
"""

TUNNEL = """
import http.client, os, ssl, urllib.parse

def run(query):
    proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
    context = ssl.create_default_context(cafile="host.pem")
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, context=context)
    connection.set_tunnel("localhost", int(query))
    connection.request("GET", "/")
    return connection.getresponse().read().decode()
"""

FETCH = """
import urllib.request

def run(query):
    return urllib.request.urlopen(query).read().decode()
"""


OF_THE_MODEL = {
    Mode.RATE_LIMITED: "model.rate_limited",
    Mode.QUOTA: "model.quota",
    Mode.RESET: "model.lost_mid_stream",
    Mode.UNAUTHORIZED: "model.auth_failed",
    Mode.FORBIDDEN: "model.access_denied",
    Mode.MISSING: "model.not_found",
    Mode.BAD_REQUEST: "model.bad_request",
    Mode.BROKEN: "model.server_error",
}
"""How a service answers, and what an agent that goes down with it failed for."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsHost]:
    with tls_host(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture(scope="module")
def served(engine_url: str) -> Iterator[Serving]:
    """A server with scripted model services, whose tests may reach hosts of this machine."""
    with scripted.services() as services:
        settings = {"docker_host": engine_url, "private_egress": "1"}
        process = Serving(settings, extra_environment=services.environment)
        yield process.start()
        process.close()


def ran(
    served: Serving, source: str, query: str, *, beside: str = "", **fields: Any
) -> tuple[Test, list[Event]]:
    """The finished test and its journal; `beside` is the text of a file beside the agent."""
    files = {"agent.py": source, **({"host.pem": beside} if beside else {})}
    given = {"files": files, "query": query, "model": "ollama:scripted", **fields}
    with served.client() as client:
        done = client.wait(client.submit(TestRequest.model_validate(given)).id)
        return done, list(client.events(done.id, follow=False))


@pytest.mark.spec("FR-013", "edge-6")
@pytest.mark.provokes("limit.model_calls")
def test_a_test_ends_at_its_budget_of_calls_and_a_retry_with_the_fix_succeeds(
    served: Serving, provoked: Provoked
) -> None:
    done, events = ran(served, CALLS, "3 hello", limits=Limits(model_calls=2))
    provoked(done, events)
    assert done.failure is not None
    assert done.failure.fix == {"model_calls": 4}
    assert "2 of the 2 model calls" in done.failure.message
    calls = [event.data for event in events if isinstance(event.data, ModelCallEvent)]
    assert [call.status for call in calls] == [200, 200, 403]
    with served.client() as client:
        changed = LimitChanges.model_validate(done.failure.fix)
        again = client.wait(client.retry(done.id, limits=changed).id)
    assert again.outcome is Outcome.SUCCEEDED


@pytest.mark.spec("FR-013", "edge-6")
@pytest.mark.parametrize(
    ("limits", "query"),
    [
        pytest.param(
            Limits(model_tokens=1), "3 hello", marks=pytest.mark.provokes("limit.model_tokens")
        ),
        pytest.param(Limits(traffic_mb=1), "2 long", marks=pytest.mark.provokes("limit.traffic")),
    ],
)
def test_tokens_and_traffic_are_budgets_too(
    served: Serving, provoked: Provoked, limits: Limits, query: str
) -> None:
    agent = CALLS.replace('"content": text', '"content": text + "g" * 700_000 * (text == "long")')
    done, events = ran(served, agent, query, limits=limits)
    provoked(done, events)
    assert done.failure is not None
    assert done.failure.fix.keys() == limits.model_fields_set


@pytest.mark.spec("edge-4", "edge-7", "FR-013")
@pytest.mark.parametrize(
    "mode",
    [pytest.param(mode, marks=pytest.mark.provokes(code)) for mode, code in OF_THE_MODEL.items()],
)
def test_an_agent_that_fails_for_its_model_says_how(
    served: Serving, provoked: Provoked, mode: Mode
) -> None:
    done, events = ran(served, CALLS, f"1 {cue(mode)}")
    provoked(done, events)


@pytest.mark.spec("edge-7", "FR-007")
def test_a_model_that_hangs_is_waited_for_until_the_tests_time_is_over(served: Serving) -> None:
    done, events = ran(served, CALLS, f"1 {cue(Mode.HANG)}", timeout_seconds=3)
    assert done.outcome is Outcome.TIMED_OUT
    assert done.failure is not None
    assert "waiting for ollama:scripted, which had not answered for" in done.failure.message
    calls = [event for event in events if isinstance(event.data, ModelCallEvent)]
    assert [event.number for event in calls] == [done.failure.evidence_event]


IMPATIENT = CALLS.replace("urlopen(request)", "urlopen(request, timeout=2)")
RAISING = "    return ask(query)\n"
TRYING = """
    for _ in range(3):
        try:
            return ask(query)
        except OSError as error:
            print(error, flush=True)
"""
"""What an agent makes of its client's timeout, after the same calls."""


@pytest.mark.spec("edge-7", "FR-013")
@pytest.mark.parametrize(
    ("asking", "said"),
    [
        (RAISING, "gave up after 2 s, before"),
        (TRYING + "    raise RuntimeError('no soup')\n", "gave up after 2 s (3 times in a row)"),
        (TRYING + "    return 'sorry'\n", "gave up after 2 s (3 times in a row)"),
    ],
    ids=["raises", "raises another error", "swallows it"],
)
@pytest.mark.provokes("agent.client_timeout")
def test_a_client_that_does_not_wait_for_the_model_is_named_and_a_longer_wait_is_enough(
    served: Serving, provoked: Provoked, asking: str, said: str
) -> None:
    agent = IMPATIENT.replace("def run(", "def ask(") + f"\ndef run(query):\n{asking}"
    done, events = ran(served, agent, f"1 {cue(Mode.SLOW)}")
    provoked(done, events)
    assert done.failure is not None
    assert said in done.failure.message
    assert "above 2 s" in done.failure.what_to_do
    again, _ = ran(served, agent.replace("timeout=2", "timeout=60"), f"1 {cue(Mode.SLOW)}")
    assert again.outcome is Outcome.SUCCEEDED


@pytest.mark.spec("edge-6", "FR-008")
def test_a_listed_host_is_reached_and_its_bytes_are_noted(served: Serving, host: TlsHost) -> None:
    done, events = ran(
        served,
        TUNNEL,
        str(host.port),
        model="none",
        beside=host.certificate,
        egress=(f"localhost:{host.port}",),
    )
    assert done.result is not None, done.failure
    assert done.result.response == ANSWER.decode()
    notices = [event.data for event in events if isinstance(event.data, NoticeEvent)]
    (used,) = [notice for notice in notices if notice.code == "egress_used"]
    assert (used.data["host"], used.data["port"]) == ("localhost", host.port)
    assert used.data["bytes"] > len(ANSWER)


@pytest.mark.spec("edge-6", "FR-013")
@pytest.mark.provokes("agent.host_not_allowed")
def test_a_host_that_is_not_listed_is_named_with_what_would_allow_it(
    served: Serving, provoked: Provoked
) -> None:
    done, events = ran(served, FETCH, "https://api.example.com/weather", model="none")
    provoked(done, events)
    assert done.failure is not None
    assert done.failure.fix == {"add_egress": "api.example.com:443"}
    assert "--egress api.example.com:443" in done.failure.what_to_do
    notices = {event.number: event.data for event in events if isinstance(event.data, NoticeEvent)}
    proof = notices[done.failure.evidence_event or 0]
    assert proof.code == "egress_refused"
    assert done.failure.evidence == proof.message
