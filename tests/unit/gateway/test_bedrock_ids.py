"""Every way in which Bedrock's models are named, in every spelling that a client sends."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from multidict import CIMultiDict

from seatrial.domain.aws import AwsKeys
from seatrial.domain.ports import Upstream
from seatrial.gateway import admission, sigv4
from seatrial.gateway.providers import bedrock
from seatrial.gateway.providers.base import Reading, merged

ACCOUNT = "123456789012"
MODELS = (
    "anthropic.claude-sonnet-4-6-v1:0",
    "amazon.titan-embed-text-v2:0",
    "us.amazon.nova-lite-v1:0",
    "eu.anthropic.claude-sonnet-4-6-v1:0",
    "global.anthropic.claude-sonnet-4-6",
    "us-gov.anthropic.claude-x-v1:0",
    "meta.llama3-1-70b-instruct-v1:0:128k",
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
    f"arn:aws:bedrock:eu-central-1:{ACCOUNT}:inference-profile/eu.amazon.nova-lite-v1:0",
    f"arn:aws:bedrock:us-west-2:{ACCOUNT}:application-inference-profile/abc123",
    f"arn:aws:bedrock:us-west-2:{ACCOUNT}:provisioned-model/abc123",
    f"arn:aws:bedrock:us-west-2:{ACCOUNT}:imported-model/abc123",
    f"arn:aws:bedrock:us-west-2:{ACCOUNT}:prompt/ABC:1",
    f"arn:aws-cn:bedrock:cn-north-1:{ACCOUNT}:inference-profile/x",
    f"arn:aws-us-gov:bedrock:us-gov-west-1:{ACCOUNT}:custom-model/a.b/c",
)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "boto3": lambda model: quote(model, safe=""),
    "anthropic": lambda model: quote(model, safe=":"),
    "lower case": lambda model: quote(model, safe="").replace("%3A", "%3a").replace("%2F", "%2f"),
}
OPERATIONS = ("converse", "converse-stream", "invoke", "invoke-with-response-stream")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_model_is_known_in_every_spelling_and_only_when_it_is_named(
    model: str, spelling: str, name: str
) -> None:
    path = f"/model/{SPELLINGS[spelling](model)}/{name}"
    operation = bedrock.find("POST", path)
    assert operation is not None
    assert (operation.path_model, operation.path, operation.name) == (model, path, name)
    offered = Upstream("bedrock", "https://x", frozenset({model}))
    assert admission.check_models(bedrock.PROVIDER, offered, operation, admission.Body()) == (
        None,
        model,
    )
    others = Upstream("bedrock", "https://x", frozenset(MODELS) - {model})
    refusal, _ = admission.check_models(bedrock.PROVIDER, others, operation, admission.Body())
    assert refusal is not None
    assert refusal.code == "model_not_allowed"
    assert f"--model bedrock:{model}" in refusal.message


@pytest.mark.parametrize("model", MODELS)
def test_a_profile_is_not_the_model_behind_it(model: str) -> None:
    assert bedrock.canonical(model) == model
    _, dot, bare = model.partition(".")
    assert not dot or bedrock.canonical(bare) != bedrock.canonical(model)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_a_signature_holds_for_every_spelling_and_region(
    model: str, spelling: str, region: str
) -> None:
    keys = AwsKeys("AKIAX", "secret", region)
    url = f"https://host/model/{SPELLINGS[spelling](model)}/converse"
    made = sigv4.signed_headers("POST", url, "application/json", b"{}", keys)
    claim = sigv4.claimed(made["Authorization"])
    assert claim is not None
    assert claim.region == region
    headers = CIMultiDict({"Host": "host", "Content-Type": "application/json", **made})
    path = url.removeprefix("https://host")
    assert sigv4.matches(sigv4.Sent("POST", path, headers, b"{}"), claim, keys.secret_key)
    other = sigv4.Sent("POST", path.replace("/converse", "/invoke"), headers, b"{}")
    assert not sigv4.matches(other, claim, keys.secret_key)


def test_tokens_of_vectors_are_counted_where_the_service_tells_them() -> None:
    titan = {"embedding": [0.5], "inputTextTokenCount": 4}
    assert bedrock.read_invoke(titan) == Reading(input_tokens=4, complete=True)
    cohere = {"id": "x", "texts": ["a"], "embeddings": [[0.5]]}
    beside = bedrock.read_headers({"x-amzn-bedrock-input-token-count": "4"})
    assert merged(beside, bedrock.read_invoke(cohere)) == Reading(input_tokens=4, complete=True)
    assert bedrock.read_invoke(cohere).input_tokens is None
