"""Addresses that are written in code: closed, named, and with what to do about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.domain.events import NoticeEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import Limits, TestRequest
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

REQUIREMENTS = (Path(__file__).parent / "requirements.txt").read_text()
AGENT = """
import anthropic, boto3, openai

def run(query):
    hello = [{"role": "user", "content": "hello"}]
    try:
        client = anthropic.Anthropic(base_url="https://api.anthropic.com", max_retries=0)
        client.messages.create(model="claude-x", max_tokens=9, messages=hello)
    except anthropic.APIConnectionError as error:
        print("as expected:", error)
    try:
        boto3.client("bedrock-runtime", endpoint_url="https://bedrock-runtime.us-east-1.amazonaws.com"
                     ).converse(modelId="m", messages=[])
    except Exception as error:
        print("as expected:", error)
    client = openai.OpenAI(base_url="https://api.openai.com/v1", max_retries=0)
    return client.chat.completions.create(model="gpt-x", messages=hello)
"""


@pytest.mark.spec("FR-013")
@pytest.mark.parametrize("engine_url", ["docker"], indirect=True, scope="session")
def test_a_model_services_public_address_in_code_is_closed_and_named(served: Serving) -> None:
    request = TestRequest(
        files={"agent.py": AGENT},
        requirements=REQUIREMENTS,
        query="go",
        model="openai:gpt-x",
        limits=Limits(memory_mb=1024),
    )
    with served.client() as client:
        done = client.wait(client.submit(request).id)
        events = list(client.events(done.id, follow=False))

    assert done.outcome is Outcome.FAILED
    assert done.failure is not None
    assert done.failure.code == "agent.host_not_allowed"
    assert "api.openai.com:443" in done.failure.message
    assert "Leave the address api.openai.com out of the code" in done.failure.what_to_do
    told = [e.data.message for e in events if isinstance(e.data, NoticeEvent)]
    for host in ("api.anthropic.com", "bedrock-runtime.us-east-1.amazonaws.com", "api.openai.com"):
        assert any(f"tried to reach {host}:443" in text for text in told), told
    assert done.failure.evidence_event is not None
    assert isinstance(events[done.failure.evidence_event - 1].data, NoticeEvent)
