"""What is advised for what providers say, in preflight and after an agent's own call."""

from __future__ import annotations

import pytest

from seatrial.domain.advice import advice
from seatrial.domain.events import ModelCallEvent
from seatrial.domain.record import AgentError, AgentExit, AttemptRecord
from seatrial.domain.requests import TestRequest
from seatrial.domain.verdict import Ending, verdict

CLAUDE = "anthropic.claude-x-v1:0"
ARN = f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}"
WHO = "403: User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: "


@pytest.mark.parametrize(
    ("provider", "code", "said", "words"),
    [
        (
            "bedrock",
            "model.access_denied",
            f"{WHO}bedrock:InvokeModelWithResponseStream on resource: {ARN} because no "
            "identity-based policy allows the bedrock:InvokeModelWithResponseStream action",
            ["Allow bedrock:InvokeModelWithResponseStream", ARN, "IAM policy"],
        ),
        (
            "bedrock",
            "model.access_denied",
            f"{WHO}bedrock:InvokeModel on resource: {ARN} with an explicit deny in a service "
            "control policy",
            ["denies bedrock:InvokeModel", "lift"],
        ),
        (
            "bedrock",
            "model.access_denied",
            "403: Model access is denied due to IAM user or service role is not authorized to "
            "perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, "
            "aws-marketplace:Subscribe) to enable access to this model.",
            ["aws-marketplace:ViewSubscriptions and aws-marketplace:Subscribe"],
        ),
        (
            "bedrock",
            "model.access_denied",
            "403: You don't have access to the model with the specified model ID.",
            [CLAUDE, "Model access"],
        ),
        (
            "bedrock",
            "model.auth_failed",
            "403: Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z",
            ["clock"],
        ),
        (
            "bedrock",
            "model.bad_request",
            "400: Invocation of model ID x with on-demand throughput isn\u2019t supported.",
            [f"bedrock:us.{CLAUDE}"],
        ),
        ("bedrock", "model.not_found", "404: nothing", ["list-inference-profiles"]),
        ("openai", "model.auth_failed", "401: no", ["OPENAI_API_KEY", "--provider openai"]),
        ("ollama", "model.not_found", "404: no", [f"ollama pull {CLAUDE}"]),
    ],
)
def test_the_advice_names_what_is_missing(
    provider: str, code: str, said: str, words: list[str]
) -> None:
    told = advice(provider, CLAUDE, code, said)
    assert [word for word in words if word not in told] == []


def test_no_foreign_name_becomes_part_of_a_command() -> None:
    for name in ("x; rm -rf ~", "$(id)", "-h", "a b", "`id`", ""):
        assert advice("ollama", name, "model.not_found", "404") == ""


def test_an_agents_own_call_is_advised_on_in_the_same_way() -> None:
    said = f"{WHO}bedrock:InvokeModel on resource: {ARN}"
    call = ModelCallEvent(
        provider="bedrock",
        model=CLAUDE,
        status=403,
        latency_seconds=0.1,
        error="model.access_denied",
        message=said,
    )
    record = AttemptRecord(
        error=AgentError("call", "ClientError", "denied"),
        exit=AgentExit(1, None, "exited"),
        calls=(call,),
        last_call_event=3,
    )
    request = TestRequest(files={"agent.py": ""}, query="q", model=f"bedrock:{CLAUDE}")
    found = verdict(request, record, Ending(model_named=True)).failure
    assert found is not None
    assert (found.code, found.evidence_event) == ("model.access_denied", 3)
    assert f"Allow bedrock:InvokeModel on {ARN}" in found.what_to_do
