"""Which permissions a deployment needs: the models that were called and its one secret. Pure."""

from __future__ import annotations

from typing import Any

from seatrial.domain import bedrock_arns
from seatrial.domain.bedrock_arns import Place

from .tested import Tested

_PLACE = Place("${AWS::Partition}", "${AWS::Region}", "${AWS::AccountId}")

Statement = dict[str, Any]


def model_arns(model: str) -> list[str]:
    """The resources that calling the model needs, in the form of `Fn::Sub`.

    >>> model_arns("amazon.nova-lite-v1:0")
    ['arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/amazon.nova-lite-v1:0']
    """
    return bedrock_arns.model_arns(model, _PLACE)


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
    if buckets := tested.buckets:
        found.append(
            {
                "Sid": "ReadTheAllowedBuckets",
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": [
                    {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{name}/*"} for name in buckets
                ],
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
