"""What cdk-nag finds in the stacks and stays as it is, with the reasons. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RULES = "AwsSolutions::AwsSolutions-"

LOG_IN = {f"{_RULES}IAM5[Resource::*]": "ecr:GetAuthorizationToken knows no resource."}
"""Of every service that fetches the image by its role."""

FARGATE = {
    f"{_RULES}ECS2": "The variables are addresses and the secret's ARN; no value is secret.",
    f"{_RULES}ECS4": "Container Insights costs extra: it is yours to switch on.",
    f"{_RULES}EC23": "Who may call is a parameter; deploy.sh gives one address.",
}


def wildcards(resources: Iterable[str]) -> dict[str, str]:
    """Of models: a cross-region profile calls them in whichever region it chooses."""
    reason = "The profile that was tested chooses the region of the model."
    return {allowed(arn): reason for arn in resources if "*" in arn}


def allowed(arn: str) -> str:
    """The finding that a statement allows a resource with a wildcard, in the form of `Fn::Sub`.

    >>> allowed("arn:${AWS::Partition}:logs:*")
    'AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:*]'
    """
    named = re.sub(r"\$\{([^}]+)\}", r"<\1>", arn)
    return f"{_RULES}IAM5[Resource::{named}]"
