"""Credentials and models are checked before a container starts; roles are renewed while it runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

import pytest

from seatrial.domain.aws import AwsKeys
from seatrial.domain.events import Event, ModelCallEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.testing.providers import ScriptedBedrock, ScriptedSts
from tests.support import agents
from tests.support.scripted import Services, services
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(200)]

REGION = "eu-central-1"
NOVA = "eu.amazon.nova-lite-v1:0"
ROLE = "arn:aws:iam::123456789012:role/models"
SOURCE = AwsKeys("AKIACANARY0000000007", "canary/e2e+role0source0of0forty0chars000", REGION)
NOBODY = AwsKeys("AKIANOBODY0000000000", "x" * 40, REGION)

AGENT = '''
import datetime, hashlib, hmac, os, time, urllib.parse, urllib.request

def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()

def converse(url, body):
    """One call of Converse, signed as AWS's SDKs do, with the keys of the environment."""
    place = urllib.parse.urlsplit(url)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = "/".join((stamp[:8], os.environ["AWS_REGION"], "bedrock", "aws4_request"))
    path = urllib.parse.quote(place.path, safe="/")
    hashed = hashlib.sha256(body).hexdigest()
    call = "\\n".join(("POST", path, "", "host:" + place.netloc, "x-amz-date:" + stamp, "",
                      "host;x-amz-date", hashed))
    text = "\\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(call.encode()).hexdigest()))
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = sign(key, part)
    told = ("AWS4-HMAC-SHA256 Credential=" + os.environ["AWS_ACCESS_KEY_ID"] + "/" + scope
            + ", SignedHeaders=host;x-amz-date, Signature=" + sign(key, text).hex())
    headers = {"Authorization": told, "X-Amz-Date": stamp, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return answer.status

def run(query):
    base = os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    url = base + "/model/" + os.environ["SEATRIAL_MODEL"].replace(":", "%3A") + "/converse"
    end = time.monotonic() + float(query)
    calls = 0
    while time.monotonic() < end:
        assert converse(url, b'{"messages": []}') == 200
        calls += 1
        time.sleep(0.25)
    return f"{calls} calls"
'''


@contextmanager
def account(lifetime: float) -> Generator[tuple[ScriptedSts, ScriptedBedrock]]:
    """An AWS account in a loop of its own, whose model takes only keys of the role."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = AsyncExitStack()

    async def start() -> tuple[ScriptedSts, ScriptedBedrock]:
        sts = ScriptedSts(SOURCE, {ROLE: "seatrial-e2e"}, lifetime=lifetime)
        await stack.enter_async_context(sts)
        bedrock = ScriptedBedrock(NOBODY, issuer=sts.find)
        return sts, await stack.enter_async_context(bedrock)

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def phases(events: list[Event]) -> list[Phase]:
    return [event.data.phase for event in events if isinstance(event.data, PhaseEvent)]


@dataclass(frozen=True)
class Place:
    """A server with its worker, and the model services that it knows."""

    serving: Serving
    sts: ScriptedSts
    services: Services

    def stored(self, name: str, *options: str, secrets: str) -> None:
        typed = self.serving.cli("credentials", "set", name, "--stdin", *options, stdin=secrets)
        assert typed.returncode == 0, typed.stderr


@pytest.fixture(scope="module")
def place(engine_url: str) -> Iterator[Place]:
    with account(lifetime=6.0) as (sts, bedrock), services() as others:
        settings = {
            "docker_host": engine_url,
            "aws_sts_url": sts.url,
            "ollama_url": others.ollama.url,
            "openai_base_url": f"{others.openai.url}/v1",
        }
        where = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url}
        serving = Serving(settings, extra_environment=where).start()
        try:
            yield Place(serving, sts, others)
        finally:
            serving.close()


@pytest.mark.spec("FR-002", "FR-008")
def test_a_role_of_a_user_is_renewed_while_the_agent_runs_and_its_keys_stay_outside(
    place: Place,
) -> None:
    options = ("--provider", "bedrock", "--region", REGION, "--role-arn", ROLE)
    keys = f"{SOURCE.access_key}\n{SOURCE.secret_key}\n"
    place.stored("team", *options, "--external-id", "seatrial-e2e", secrets=keys)
    with place.serving.client() as client:
        test = client.submit(files=agents.files(AGENT), query="7", model=f"bedrock:{NOVA}")
        done = client.wait(test.id)
        events = list(client.events(test.id))
    assert done.outcome is Outcome.SUCCEEDED, done.failure
    calls = [event.data for event in events if isinstance(event.data, ModelCallEvent)]
    assert {call.status for call in calls} == {200}
    assert len(place.sts.issued) >= 2
    assert {one.session for one in place.sts.issued} == {f"seatrial-{test.id}"}
    files = [path for path in place.serving.data_dir.rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    for given in (SOURCE, *(one.keys for one in place.sts.issued)):
        for secret in (given.secret_key, given.session_token):
            assert not secret or secret.encode() not in kept


@pytest.mark.spec("FR-013")
def test_a_model_or_key_that_cannot_be_used_is_told_before_any_container_starts(
    place: Place,
) -> None:
    options = ("--provider", "anthropic", "--base-url", place.services.anthropic.url)
    place.stored("box", *options, secrets="sk-canary-wrong-7d10")
    expected = {
        "ollama:llama3.2": ("model.not_found", "ollama pull llama3.2"),
        "openai:gpt-9": ("model.not_found", ""),
        "anthropic:claude-x": ("model.auth_failed", "seatrial credentials set"),
    }
    with place.serving.client() as client:
        for model, (code, to_do) in expected.items():
            test = client.submit(files=agents.files(agents.ECHO), query="x", model=model)
            done = client.wait(test.id)
            assert done.failure is not None
            assert done.failure.code == code, done.failure
            assert to_do in done.failure.what_to_do
            assert "canary" not in done.failure.model_dump_json()
            assert Phase.RUNNING not in phases(list(client.events(test.id)))
