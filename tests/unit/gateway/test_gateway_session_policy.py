"""The policy with which a role is assumed for one test."""

from __future__ import annotations

import json

import pytest

from seatrial.gateway.session_policy import MAX_CHARACTERS, session_policy

ROLE = "arn:aws:iam::123456789012:role/team/models"


def _resources(policy: str) -> list[str]:
    return json.loads(policy)["Statement"][0]["Resource"]


@pytest.mark.parametrize(
    ("model", "resources"),
    [
        (
            "eu.amazon.nova-lite-v1:0",
            [
                "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
                "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0",
            ],
        ),
        (
            "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
            [
                "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
                "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0",
            ],
        ),
        (
            "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x",
            [
                "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x",
                "arn:aws:bedrock:*::foundation-model/*",
            ],
        ),
    ],
)
def test_it_names_exactly_what_invoking_the_models_needs(model: str, resources: list[str]) -> None:
    policy = session_policy(ROLE, "eu-central-1", (model,))
    assert _resources(policy) == resources
    assert "s3" not in policy


def test_a_bucket_is_readable_when_the_test_names_it() -> None:
    policy = json.loads(session_policy(ROLE, "eu-central-1", ("a.b",), ("papers",)))
    [objects] = [one for one in policy["Statement"] if one["Action"] == ["s3:GetObject"]]
    assert objects["Resource"] == ["arn:aws:s3:::papers/*"]


@pytest.mark.parametrize(
    "role", [ROLE.replace("aws", "aws-us-gov", 1), ROLE.replace("aws", "aws-cn", 1)]
)
def test_it_is_in_the_partition_of_the_role(role: str) -> None:
    partition = role.split(":")[1]
    assert _resources(session_policy(role, "x-1", ("a.b",))) == [
        f"arn:{partition}:bedrock:x-1::foundation-model/a.b"
    ]


@pytest.mark.parametrize("count", [1, 9, 50, 200])
def test_it_never_exceeds_what_sts_takes_and_never_opens_more_than_models(count: int) -> None:
    models = tuple(f"eu.vendor.a-model-with-a-long-name-{n}-v1:0" for n in range(count))
    policy = session_policy(ROLE, "eu-central-1", models)
    assert len(policy) <= MAX_CHARACTERS
    assert all(":bedrock:" in arn for arn in _resources(policy))
