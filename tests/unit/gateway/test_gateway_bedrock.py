"""Bedrock and Anthropic behind the gateway: paths, usage, errors, signatures. All pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from multidict import CIMultiDict

from seatrial.domain.aws import AwsKeys
from seatrial.gateway import eventstream, sigv4, taps
from seatrial.gateway.providers import anthropic, bedrock
from seatrial.gateway.providers.base import Facts, Reading
from seatrial.harness.sdk_env import AWS_ACCESS_KEY, PLACEHOLDER
from seatrial.testing.providers import encode_event

ARN = "arn:aws:bedrock:eu-central-1:1:inference-profile/eu.amazon.nova-lite-v1:0"
DUMMY = AwsKeys(AWS_ACCESS_KEY, PLACEHOLDER, "us-east-1")
URL = "http://127.0.0.1:8377"
PATH = "/bedrock/model/a%3A0/converse"
NOTHING: Mapping[str, str] = {}


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ("us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"),
        ("us.amazon.nova-lite-v1%3A0", "us.amazon.nova-lite-v1:0"),
        (ARN.replace(":", "%3A").replace("/", "%2F"), ARN),
        (ARN.replace("/", "%2f"), ARN),
        ("a%253A0", "a%3A0"),
    ],
)
@pytest.mark.parametrize("name", ["converse", "converse-stream", "invoke"])
def test_the_model_is_unescaped_once_and_the_path_stays_as_it_was(
    written: str, model: str, name: str
) -> None:
    operation = bedrock.find("POST", f"/model/{written}/{name}")
    assert operation is not None
    assert (operation.path_model, operation.path) == (model, f"/model/{written}/{name}")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/model/a/converse"),
        ("POST", "/model/a/b/converse"),
        ("POST", "/model/a/converse/"),
        ("POST", "/model//converse"),
        ("POST", "/model/a/apply"),
        ("POST", "/guardrail/a/version/1/apply"),
        ("POST", "/async-invoke"),
        ("POST", "/Model/a/converse"),
    ],
)
def test_bedrock_offers_no_other_path(method: str, path: str) -> None:
    assert bedrock.find(method, path) is None


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("POST", "/v1/messages", True),
        ("POST", "/v1/messages/count_tokens", False),
        ("GET", "/v1/models", False),
        ("GET", "/v1/models/claude-x", False),
        ("POST", "/v1/messages/batches", None),
        ("POST", "/v1/files", None),
        ("GET", "/v1/organizations/me", None),
        ("POST", "/v1/v1/messages", None),
    ],
)
def test_anthropic_offers(method: str, path: str, counted: bool | None) -> None:
    operation = anthropic.find(method, path)
    assert (operation.counted if operation else None) == counted


def test_a_listing_of_anthropic_names_what_is_left_at_its_ends() -> None:
    listing: Any = {"data": [{"id": "a"}, {"id": "b"}], "first_id": "a", "last_id": "b"}
    kept = anthropic.keep_models(listing, lambda name: name == "b")
    assert kept == {"data": [{"id": "b"}], "first_id": "b", "last_id": "b"}
    assert anthropic.keep_models(listing, lambda name: False)["first_id"] is None


def chunk(value: Any) -> dict[str, Any]:
    return {"chunk": {"bytes": base64.b64encode(json.dumps(value).encode()).decode()}}


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        ({"inputTextTokenCount": 4, "results": [{"tokenCount": 2}]}, Reading(4, 2, True)),
        ({"prompt_token_count": 4, "generation_token_count": 2}, Reading(4, 2, True)),
        ({"usage": {"inputTokens": 4, "outputTokens": 2}}, Reading(4, 2, True)),
        (chunk({"type": "message_start", "message": {"usage": {"input_tokens": 4}}}), Reading(4)),
        (chunk({"type": "message_stop"}), Reading(complete=True)),
        (
            chunk({"x": 1, "amazon-bedrock-invocationMetrics": {"inputTokenCount": 4}}),
            Reading(4, complete=True),
        ),
        ({"results": ["?"]}, Reading(complete=True)),
        ({"chunk": {"bytes": "?"}}, Reading(complete=True)),
    ],
)
def test_usage_of_invoked_models_is_read_and_never_guessed(value: Any, reading: Reading) -> None:
    assert bedrock.read_invoke(value) == reading


@pytest.mark.spec("edge-7")
@pytest.mark.parametrize(
    ("value", "ends"),
    [
        ({"messageStart": {"role": "assistant"}}, False),
        ({"contentBlockDelta": {"delta": {"text": "x"}}}, False),
        ({"messageStop": {"stopReason": "end_turn"}}, True),
        ({"outputText": "x", "completionReason": None}, False),
        ({"outputText": "", "completionReason": "FINISH"}, True),
        ({"generation": "x", "stop_reason": None}, False),
        ({"generation": "", "stop_reason": "stop"}, True),
        ({"type": "content_block_delta"}, False),
        ({"type": "message_stop"}, True),
        ({"of": "another maker"}, True),
    ],
)
def test_an_invoked_models_stream_ends_as_its_maker_says(value: Any, ends: bool) -> None:
    assert bedrock.read_invoke(value).complete is ends


def test_usage_beside_the_body_is_read() -> None:
    def headers(count: str) -> dict[str, str]:
        return {"x-amzn-bedrock-input-token-count": count}

    assert bedrock.read_headers(headers("7")) == Reading(input_tokens=7)
    assert bedrock.read_headers(headers("-7")) == bedrock.read_headers({}) == Reading()


@pytest.mark.parametrize(
    ("status", "kind", "body", "code"),
    [
        (429, "ThrottlingException", b"{}", "model.rate_limited"),
        (400, "ServiceQuotaExceededException:http://x", b"{}", "model.quota"),
        (403, "AccessDeniedException", b"{}", "model.access_denied"),
        (403, "UnrecognizedClientException", b"{}", "model.auth_failed"),
        (403, "", b'{"__type":"com.x#ExpiredTokenException"}', "model.auth_failed"),
        (
            400,
            "ValidationException",
            b"The provided model identifier is invalid",
            "model.not_found",
        ),
        (400, "ValidationException", b"{}", "model.bad_request"),
        (418, "", b"teapot", None),
    ],
)
def test_an_exceptions_name_says_what_failed(
    status: int, kind: str, body: bytes, code: str | None
) -> None:
    headers = {"x-amzn-ErrorType": kind}
    assert bedrock.of_answer(Facts(status, headers, body)) == code


STREAM = (
    encode_event("messageStart", {"role": "assistant"})
    + encode_event("messageStop", {"stopReason": "end_turn"})
    + encode_event("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}})
)


def fed(data: bytes, size: int) -> Reading:
    tap = taps.tap_for(eventstream.CONTENT_TYPE, bedrock.read_converse)
    assert tap is not None
    for start in range(0, len(data), size):
        tap.feed(data[start : start + size])
    return tap.end()


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_an_event_stream_reads_the_same_however_it_is_cut(size: int) -> None:
    assert fed(STREAM, size) == Reading(3, 2, complete=True)
    assert not fed(STREAM[:-1], size).complete


def test_an_exception_in_a_stream_has_its_own_name() -> None:
    told = encode_event("throttlingException", {"message": "slow down"}, exception=True)
    reading = fed(STREAM + told, 9)
    assert reading.error == "throttlingException: slow down"
    assert reading.error_code == "model.rate_limited"


@pytest.mark.parametrize("size", [5, 4096])
def test_a_message_too_long_to_read_passes_and_the_next_is_read(size: int) -> None:
    long = encode_event("contentBlockDelta", {"x": "y" * eventstream.MAX_MESSAGE})
    assert fed(long + STREAM, max(size, 4096)) == Reading(3, 2, complete=True)


def test_bytes_that_are_no_event_stream_make_the_end_unknown() -> None:
    assert fed(b"\0" * 100 + STREAM, 8) == Reading(complete=True)


def sent(path: str = PATH, body: bytes = b"{}", changed: Mapping[str, str] = NOTHING) -> sigv4.Sent:
    made = sigv4.signed_headers("POST", URL + PATH, "application/json", b"{}", DUMMY)
    headers = {"Host": "127.0.0.1:8377", "Content-Type": "application/json", **made, **changed}
    return sigv4.Sent("POST", path, CIMultiDict(headers), body)


def test_a_call_signed_with_the_containers_keys_is_taken() -> None:
    assert bedrock.check_agent(sent()) is None


@pytest.mark.parametrize(
    "other",
    [
        sent(path=PATH.replace("%3A", ":")),
        sent(path=PATH + "?x=1"),
        sent(body=b'{"x":1}'),
        replace(sent(), method="PUT"),
        sent(changed={"Host": "elsewhere"}),
        sent(changed={"X-Amz-Date": "20200101T000000Z"}),
        sent(changed={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}),
    ],
)
def test_a_call_that_was_changed_after_it_was_signed_is_refused(other: sigv4.Sent) -> None:
    assert "does not match" in (bedrock.check_agent(other) or "")


def test_an_agents_own_keys_are_refused_and_a_bearer_token_too() -> None:
    made = sigv4.signed_headers("POST", URL + PATH, None, b"", AwsKeys("AKIAOWN", "x", "r"))
    own = sent(changed={"Authorization": made["Authorization"]})
    assert "agent's own" in (bedrock.check_agent(own) or "")
    bearer = sent(changed={"Authorization": "Bearer x"})
    assert "not signed" in (bedrock.check_agent(bearer) or "")
