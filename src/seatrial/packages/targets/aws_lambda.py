"""The target `lambda`: an AWS Lambda function from the image, behind a URL that asks for IAM."""

from __future__ import annotations

from seatrial.packages.sizing import (
    LAMBDA_MIB,
    LAMBDA_SECONDS,
    Number,
    lambda_memory,
    lambda_timeout,
    run_seconds,
)
from seatrial.packages.tested import Tested

from . import aws
from .base import Shape, Target, tested_machine

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
_CLASS = "The agent as an AWS Lambda function; its URL answers signed requests only."


def _refused(tested: Tested) -> str:
    if run_seconds(tested) > LAMBDA_SECONDS:
        seconds = round(run_seconds(tested))
        return f"Lambda ends a call after 15 minutes, and the tested query took {seconds} s."
    if lambda_memory(tested).value > LAMBDA_MIB:
        return f"Lambda has 10,240 MiB at most; needed: {lambda_memory(tested).why}."
    if tested.architecture not in _MACHINES:
        return f"Lambda does not run {tested.architecture}."
    return ""


def _numbers(tested: Tested) -> dict[str, Number]:
    return {"memory, MiB": lambda_memory(tested), "timeout, s": lambda_timeout(tested)}


def _files(tested: Tested, shape: Shape) -> dict[str, str]:
    memory, timeout = lambda_memory(tested), lambda_timeout(tested)
    stack = aws.stack_text(
        tested,
        shape,
        imports="from aws_cdk import aws_iam as iam\n"
        "from aws_cdk import aws_lambda as lambda_\n"
        "from aws_cdk import aws_logs as logs",
        numbers=f"# {memory.why}.\nMEMORY_MIB = {memory.value}\n"
        f"# {timeout.why}.\nTIMEOUT_SECONDS = {timeout.value}\n"
        f'# That of the test.\nARCHITECTURE = "{_MACHINES[tested.architecture]}"',
        class_=_CLASS,
        body="stack_lambda",
    )
    return {
        **aws.infra_files(tested, shape, stack=stack, template=template(tested)),
        **aws.scripts(tested, shape, machine=tested.architecture, smoke="lambda_smoke.sh"),
    }


def template(tested: Tested) -> aws.Template:
    """The template that `cdk synth` makes of the stack."""
    allowed = [
        aws.log_statement(aws.attribute("Arn", "Logs")),
        *aws.agent_statements(tested),
    ]
    function: aws.Template = {
        "PackageType": "Image",
        "Code": {"ImageUri": aws.ref("ImageUri")},
        "Architectures": [_MACHINES[tested.architecture]],
        "MemorySize": lambda_memory(tested).value,
        "Timeout": lambda_timeout(tested).value,
        "Role": aws.attribute("Arn", "Role"),
        "LoggingConfig": {"LogGroup": aws.ref("Logs")},
    }
    if variables := aws.variables(tested):
        function["Environment"] = {"Variables": variables}
    url = {"AuthType": "AWS_IAM", "TargetFunctionArn": aws.attribute("Arn", "Function")}
    return {
        **aws.template_head(tested),
        "Resources": {
            "Logs": aws.log_group(),
            "Role": aws.role("lambda.amazonaws.com", allowed),
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Url": {"Type": "AWS::Lambda::Url", "Properties": url},
        },
        "Outputs": {
            "FunctionName": {"Value": aws.ref("Function")},
            "FunctionUrl": {"Value": aws.attribute("FunctionUrl", "Url")},
        },
    }


TARGET = Target(
    name="lambda",
    title="AWS Lambda",
    concurrency=1,
    refused=_refused,
    machine=tested_machine,
    numbers=_numbers,
    files=_files,
    prerequisites="Docker, python3, the AWS CLI with credentials that may deploy, and a region.",
    after=aws.AFTER,
    costs="you pay for each call's time and memory, the image in ECR, the log and the secret; "
    "an idle function costs next to nothing. Model calls are your provider's.",
    trouble="- *403 from the URL*: sign the request (AWS Signature Version 4, service `lambda`), "
    "with `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` allowed; or use "
    "`aws lambda invoke`.\n"
    "- *Answers come whole*: Lambda does not stream here; the other targets do.",
)
