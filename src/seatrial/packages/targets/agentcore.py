"""The target `agentcore`: Amazon Bedrock AgentCore Runtime."""

from __future__ import annotations

from seatrial.packages.render import render
from seatrial.packages.sizing import (
    AGENTCORE_MIB,
    AGENTCORE_SECONDS,
    CONCURRENCY,
    Number,
    needed,
    run_seconds,
)
from seatrial.packages.tested import Tested

from . import aws, nag
from .base import Shape, Target

_MACHINE = "aarch64"
_LOGS = (
    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
    ":log-group:/aws/bedrock-agentcore/runtimes/*"
)
_CLASS = "The agent on Amazon Bedrock AgentCore Runtime, which asks callers for AWS credentials."


def _refused(tested: Tested) -> str:
    if run_seconds(tested) > AGENTCORE_SECONDS:
        seconds = round(run_seconds(tested))
        return f"AgentCore ends a call after 15 minutes, and the tested query took {seconds} s."
    if needed(tested, 1).value > AGENTCORE_MIB:
        return f"AgentCore has 8 GiB at most; needed: {needed(tested, 1).why}."
    return ""


def _machine(_: Tested) -> str:
    return _MACHINE


def _numbers(tested: Tested) -> dict[str, Number]:
    return {"memory needed, MiB (AgentCore has 8,192, not set)": needed(tested, 1)}


def _runtime_name(shape: Shape) -> str:
    return shape.name.replace("-", "_")[:48]


def _files(tested: Tested, shape: Shape) -> dict[str, str]:
    stack = aws.stack_text(
        tested,
        shape,
        imports="from aws_cdk import aws_bedrockagentcore as agentcore\n"
        "from aws_cdk import aws_iam as iam",
        numbers="# Memory and CPU are AgentCore's own (8 GiB, 2 cores).\n"
        f"# Needed: {needed(tested, 1).why}.",
        class_=_CLASS,
        body="stack_agentcore",
        values={"RUNTIME_NAME": _runtime_name(shape)},
        acknowledged={
            **nag.LOG_IN,
            nag.allowed(_LOGS): "AgentCore names the log after the runtime once that is made.",
        },
    )
    return {
        **aws.infra_files(tested, shape, stack=stack, template=template(tested, shape)),
        **aws.scripts(
            tested,
            shape,
            machine=_MACHINE,
            smoke="agentcore_smoke.sh",
            regions=render("agentcore_regions").rstrip(),
            platform_check=render("arm64_check").rstrip(),
        ),
    }


def template(tested: Tested, shape: Shape) -> aws.Template:
    """The template that `cdk synth` makes of the stack."""
    allowed = [
        *aws.pull_statements(shape),
        aws.log_statement({"Fn::Sub": _LOGS}, "logs:CreateLogGroup", "logs:DescribeLogStreams"),
        *aws.agent_statements(tested),
    ]
    own_account = {"StringEquals": {"aws:SourceAccount": aws.ref("AWS::AccountId")}}
    runtime: aws.Template = {
        "AgentRuntimeName": _runtime_name(shape),
        "AgentRuntimeArtifact": {"ContainerConfiguration": {"ContainerUri": aws.ref("ImageUri")}},
        "NetworkConfiguration": {"NetworkMode": "PUBLIC"},
        "ProtocolConfiguration": "HTTP",
        "RoleArn": aws.attribute("Arn", "Role"),
    }
    if variables := aws.variables(tested):
        runtime["EnvironmentVariables"] = variables
    return {
        **aws.template_head(tested),
        "Resources": {
            "Role": aws.role("bedrock-agentcore.amazonaws.com", allowed, own_account),
            "Runtime": {"Type": "AWS::BedrockAgentCore::Runtime", "Properties": runtime},
        },
        "Outputs": {"RuntimeArn": {"Value": aws.attribute("AgentRuntimeArn", "Runtime")}},
    }


TARGET = Target(
    name="agentcore",
    title="Amazon Bedrock AgentCore",
    concurrency=CONCURRENCY,
    refused=_refused,
    machine=_machine,
    numbers=_numbers,
    files=_files,
    prerequisites="Docker that can build ARM64 images (the doctor says how), python3, a current "
    "AWS CLI with credentials that may deploy, and a region that has AgentCore.",
    after=aws.AFTER,
    costs="you pay for the CPU and memory of sessions, the image in ECR, the log and the secret; "
    "without a session the runtime costs next to nothing. Model calls are extra.",
    trouble="- *Access denied while validating the ECR URI*: the role was just made; run "
    "`./deploy.sh` again after a minute.\n"
    "- *AccessDenied for the model*: open the model in the Bedrock console; some models of third "
    "parties ask for `aws-marketplace:Subscribe` at their first call.",
)
