"""A test of fifteen minutes: its stream, its lease and its expiring keys last as long as it does.

It is part of `make test-full` alone, since it takes that long.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest

from seatrial.client.sse import EventStream
from seatrial.domain.events import CleanupEvent, Event, LogEvent, ModelCallEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Test
from tests.e2e.test_crashes import until_gone
from tests.e2e.test_model_access import AGENT, NOVA, REGION, ROLE, SOURCE, account
from tests.support import agents
from tests.support.databases import PostgresDatabases
from tests.support.postgres import PostgresServer
from tests.support.serving import Serving

MINUTES = float(os.environ.get("SEATRIAL_LONG_MINUTES", "15"))
"""Less only while this file itself is worked on."""

pytestmark = [
    pytest.mark.engine,
    pytest.mark.postgres,
    pytest.mark.timeout(MINUTES * 60 + 600),
]

KEYS_LAST_SECONDS = 90.0
SILENCE_SECONDS = 45.0
"""A stream that says nothing for this long is given up by our own clients."""

LONG = (
    AGENT.partition("def run(query):")[0]
    + '''
def run(query):
    """Ask every 15 s and say so; in the middle third, neither ask nor say anything."""
    base = os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    url = base + "/model/" + os.environ["SEATRIAL_MODEL"].replace(":", "%3A") + "/converse"
    begin, length, calls = time.monotonic(), float(query), 0
    while (passed := time.monotonic() - begin) < length:
        if length / 3 < passed < length * 2 / 3:
            time.sleep(length * 2 / 3 - passed)
        assert converse(url, b'{"messages": []}') == 200
        print("call", calls, flush=True)
        calls += 1
        time.sleep(15)
    return f"{calls} calls"
'''
)


@contextmanager
def rival_of(server: Serving, engine_url: str) -> Generator[subprocess.Popen[bytes]]:
    """A second worker on the same engine, which takes over whatever lease runs out."""
    names = ("database_url", "credentials_key", "aws_sts_url")
    settings = {name: server.settings[name] for name in names}
    elsewhere = Serving(
        {**settings, "docker_host": engine_url}, extra_environment=server.extra_environment
    )
    elsewhere.data_dir.chmod(0o711)
    process = subprocess.Popen(
        [sys.executable, "-m", "seatrial", "worker"], env=elsewhere.environment
    )
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(60) == 0
        elsewhere.close()


def one_stream(server: Serving, test_id: str) -> list[Event]:
    """All events of one connection, which is never made again."""
    parser, found = EventStream(), list[Event]()
    with httpx.stream(
        "GET",
        f"{server.url}/api/v1/tests/{test_id}/events",
        headers={"accept": "text/event-stream", **server.headers},
        timeout=httpx.Timeout(30, read=SILENCE_SECONDS),
    ) as answer:
        for chunk in answer.iter_bytes():
            found += [Event.model_validate_json(sent.data) for sent in parser.feed(chunk)]
    return found


def followed(server: Serving, seconds: float) -> tuple[Test, list[Event]]:
    """One long test with a stored role, from its submission to its end."""
    options = ("--stdin", "--provider", "bedrock", "--region", REGION, "--role-arn", ROLE)
    stored = server.cli(
        *("credentials", "set", "team", *options, "--external-id", "seatrial-e2e"),
        stdin=f"{SOURCE.access_key}\n{SOURCE.secret_key}\n",
    )
    assert stored.returncode == 0, stored.stderr
    with server.client() as client:
        test = client.submit(
            files=agents.files(LONG),
            query=str(seconds),
            model=f"bedrock:{NOVA}",
            timeout_seconds=int(seconds) + 300,
        )
        events = one_stream(server, test.id)
        return client.test(test.id), events


@pytest.mark.spec("FR-003", "FR-010", "FR-002", "SC-006")
def test_a_test_of_fifteen_minutes_keeps_its_stream_its_lease_and_its_keys(
    docker_socket: str, postgres_server: PostgresServer
) -> None:
    seconds = MINUTES * 60
    with account(lifetime=KEYS_LAST_SECONDS) as (sts, bedrock):
        settings = {
            "docker_host": docker_socket,
            "database_url": PostgresDatabases(postgres_server).empty(),
            "credentials_key": base64.b64encode(os.urandom(32)).decode(),
            "aws_sts_url": sts.url,
        }
        where = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url}
        server = Serving(settings, extra_environment=where).start()
        try:
            with rival_of(server, docker_socket) as rival:
                done, events = followed(server, seconds)
                assert rival.poll() is None
        finally:
            server.close()

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.metrics is not None
    assert done.metrics.wall_seconds is not None
    assert done.metrics.wall_seconds >= seconds
    # Its stream: one connection, and every event once.
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    # Its lease: nobody else ever took it, though somebody waited to.
    phases = [event.data.phase for event in events if isinstance(event.data, PhaseEvent)]
    assert phases == [Phase.QUEUED, Phase.BUILDING, Phase.RUNNING, Phase.COMPLETED]
    assert done.attempt == 1
    # Its keys: every call was taken, long after the first keys had expired.
    calls = [event.data for event in events if isinstance(event.data, ModelCallEvent)]
    said = [event.data.text for event in events if isinstance(event.data, LogEvent)]
    assert {call.status for call in calls} == {200}
    assert "".join(said) == "".join(f"call {n}\n" for n in range(len(calls)))
    assert {one.session for one in sts.issued} == {f"seatrial-{done.id}"}
    assert len(sts.issued) > seconds / 2 / KEYS_LAST_SECONDS
    [cleanup] = [event.data for event in events if isinstance(event.data, CleanupEvent)]
    assert cleanup.left == ()
    until_gone(docker_socket, done.id)
    told = f"{len(events)} events, {len(calls)} calls, {len(sts.issued)} sets of keys"
    print(f"{done.metrics.wall_seconds:.0f} s: {told}")
