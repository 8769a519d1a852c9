"""Which permissions a deployment needs: the models that were called and its one secret. Pure."""

from __future__ import annotations

from typing import Any

from .tested import Tested

PROFILES = ("us", "eu", "apac", "jp", "au", "ca", "us-gov", "global")
"""Beginnings of the names of Bedrock's cross-region inference profiles."""

Statement = dict[str, Any]


def model_arns(model: str) -> list[str]:
    """The resources that calling the model needs, in the form of `Fn::Sub`.

    A cross-region profile needs itself and the foundation model in every region that it may lead
    to. A whole ARN is taken as it is; behind that of an application's own profile any foundation
    model may stand, which the ARN does not tell.

    >>> model_arns("amazon.nova-lite-v1:0")
    ['arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/amazon.nova-lite-v1:0']
    """
    if model.startswith("arn:"):
        behind = ["arn:${AWS::Partition}:bedrock:*::foundation-model/*"]
        return [model, *(behind if ":application-inference-profile/" in model else [])]
    prefix, _, base = model.partition(".")
    if prefix in PROFILES:
        account = "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}"
        return [
            f"{account}:inference-profile/{model}",
            f"arn:${{AWS::Partition}}:bedrock:*::foundation-model/{base}",
        ]
    return [f"arn:${{AWS::Partition}}:bedrock:${{AWS::Region}}::foundation-model/{model}"]


def resources(tested: Tested) -> list[str]:
    """The resources of all models of Bedrock that the agent called."""
    return [arn for model in tested.bedrock_models for arn in model_arns(model)]


def statements(tested: Tested) -> list[Statement]:
    """What the agent's role may do, as a template writes it."""
    found: list[Statement] = []
    if arns := resources(tested):
        found.append(
            {
                "Sid": "CallTheTestedModels",
                "Effect": "Allow",
                "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
                "Resource": [{"Fn::Sub": arn} for arn in arns],
            }
        )
    if tested.secrets:
        found.append(
            {
                "Sid": "ReadItsOwnSecret",
                "Effect": "Allow",
                "Action": ["secretsmanager:GetSecretValue"],
                "Resource": [{"Ref": "VariablesArn"}],
            }
        )
    return found
