"""The session policy of an assumed role: one test's models and nothing else. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seatrial.domain.bedrock_arns import Place, model_arns

MAX_CHARACTERS = 2048
"""Of an inline session policy, by AWS STS."""

_INVOKE = ["bedrock:InvokeModel*", "bedrock:CountTokens"]
_ASK = [
    "bedrock:GetFoundationModel",
    "bedrock:GetFoundationModelAvailability",
    "bedrock:GetInferenceProfile",
    "bedrock:GetProvisionedModelThroughput",
    "bedrock:GetImportedModel",
    "bedrock:GetCustomModelDeployment",
]
"""What the check before a test asks; no call of an agent reaches these operations."""


def session_policy(
    role_arn: str, region: str, models: Sequence[str], buckets: Sequence[str] = ()
) -> str:
    """The policy as JSON: it narrows what the role may do, and gives nothing of its own.

    With more models than fit, any model may be invoked; the gateway still holds calls to the
    test's own, and everything but models stays closed.
    """
    _, partition, _, _, account, *_ = (*role_arn.split(":", 5), *[""] * 6)
    place = Place(partition or "aws", region, account)
    arns = dict.fromkeys(arn for model in models for arn in model_arns(model, place))
    written = _written(list(arns), buckets, place)
    if len(written) <= MAX_CHARACTERS:
        return written
    return _written([f"arn:{place.partition}:bedrock:*"], buckets, place)


def _written(arns: Sequence[str], buckets: Sequence[str], place: Place) -> str:
    statements = [_allow(_INVOKE, arns), _allow(_ASK, ["*"])]
    if any(":sagemaker:" in arn for arn in arns):
        statements.append(_allow(["sagemaker:InvokeEndpoint"], arns))
    if buckets:
        objects = [f"arn:{place.partition}:s3:::{bucket}/*" for bucket in buckets]
        statements.append(_allow(["s3:GetObject"], objects))
        by_s3 = {"StringLike": {"kms:ViaService": "s3.*"}}
        statements.append({**_allow(["kms:Decrypt"], ["*"]), "Condition": by_s3})
    policy = {"Version": "2012-10-17", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"))


def _allow(actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
