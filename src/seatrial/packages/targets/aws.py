"""What the targets on AWS share: their scripts, their stack's head and their template's."""

from __future__ import annotations

import json
from typing import Any

from seatrial.packages.access import resources, statements
from seatrial.packages.image import base_image
from seatrial.packages.render import render
from seatrial.packages.tested import Tested

from . import nag
from .base import Shape

Template = dict[str, Any]

_PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}

AFTER = "./smoke.sh                  # asks the tested query again"


def infra_files(tested: Tested, shape: Shape, *, stack: str, template: Template) -> dict[str, str]:
    """The folder `infra/`: the CDK app, its pinned tools, and the template that it makes."""
    files = {
        "infra/app.py": render("infra_app", {"NAME": shape.name}),
        "infra/stack.py": stack,
        "infra/cdk.json": render("cdk.json"),
        "infra/requirements.txt": render("infra_requirements.txt"),
        "infra/package.json": render("package.json"),
        "infra/package-lock.json": render("package-lock.json"),
        "infra/template.json": json.dumps(template, indent=1) + "\n",
    }
    if tested.secrets:
        files["infra/secret.py"] = render("secret")
    return files


def scripts(
    tested: Tested,
    shape: Shape,
    *,
    machine: str,
    smoke: str,
    regions: str = "",
    platform_check: str = "",
    network: str = "",
    parameters: dict[str, str] | None = None,
    optional: tuple[str, ...] = (),
) -> dict[str, str]:
    """deploy, destroy, doctor and smoke."""
    name = {"NAME": shape.name}
    given = {f"{parameter}=$({_value(name)})" for name, parameter in addresses(tested).items()}
    given |= {f"{key}={value}" for key, value in (parameters or {}).items()}
    if tested.secrets:
        given.add("VariablesArn=$SECRET_ARN")
    needed = [name for name in (*tested.secrets, *tested.addresses) if name not in optional]
    secret = render("aws_secret", {"NAMES": " ".join(tested.secrets)}) if tested.secrets else ""
    return {
        "deploy.sh": render(
            "aws_deploy.sh",
            {
                **name,
                "TAG": shape.tag,
                "PLATFORM": _PLATFORMS.get(machine, f"linux/{machine}"),
                "SECRET": (secret + network).rstrip("\n"),
                "PARAMETERS": "".join(f' \\\n        "{one}"' for one in sorted(given)),
            },
        ),
        "destroy.sh": render(
            "aws_destroy.sh",
            {**name, "SECRET": render("aws_destroy_secret") if tested.secrets else ""},
        ).rstrip("\n")
        + "\n",
        "doctor.sh": render(
            "aws_doctor.sh",
            {
                "REGION": tested.region or "us-east-1",
                "REGIONS": regions,
                "PLATFORM_CHECK": platform_check,
                "NEEDED": " ".join(needed),
            },
        ),
        "smoke.sh": render(smoke, name),
    }


def stack_text(
    tested: Tested,
    shape: Shape,
    *,
    imports: str,
    numbers: str,
    class_: str,
    body: str,
    values: dict[str, str] | None = None,
    acknowledged: dict[str, str] | None = None,
    optional: tuple[str, ...] = (),
) -> str:
    """The stack in CDK, with its numbers and models at the top.

    The body itself makes the parameters of `optional` variables.
    """
    findings = {**nag.wildcards(resources(tested)), **(acknowledged or {})}
    head = render(
        "stack_head",
        {
            "IMPORTS": imports,
            "NUMBERS": numbers.strip(),
            "MODELS": _python_list(resources(tested)),
            "SECRET_NAMES": ", ".join(tested.secrets) or "there is none",
            "HAS_SECRET": str(bool(tested.secrets)),
            "ADDRESSES": json.dumps(
                {name: value for name, value in addresses(tested).items() if name not in optional}
            ),
            "ACKNOWLEDGED": json.dumps(findings, indent=4),
            "CLASS": class_,
            "DESCRIPTION": description(tested),
        },
    )
    middle = render(body, {"NAME": shape.name, **(values or {})})
    docstring = f'"""{class_}\n\nMade by Seatrial from test {tested.test.id}.\n"""\n\n'
    return docstring + head + middle + render("stack_tail")


def template_head(tested: Tested) -> Template:
    """The template's description and the parameters that every stack has."""
    parameters = {"ImageUri": parameter("The image in ECR, with its tag.")}
    if tested.secrets:
        parameters["VariablesArn"] = parameter("ARN of the secret with the agent's keys.")
    for variable, name in addresses(tested).items():
        parameters[name] = parameter(f"Value of {variable}.")
    return {"Description": description(tested), "Parameters": parameters}


def parameter(description: str, kind: str = "String") -> Template:
    """A parameter without a default."""
    return {"Type": kind, "Description": description}


def variables(tested: Tested) -> dict[str, Template]:
    """The variables of the container, by parameter."""
    found: dict[str, Template] = (
        {"AGENT_SECRETS_ARN": ref("VariablesArn")} if tested.secrets else {}
    )
    return found | {name: ref(value) for name, value in addresses(tested).items()}


def role(service: str, allowed: list[Template], condition: Template | None = None) -> Template:
    """A role that the service may take, with one policy."""
    trust: Template = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if condition:
        trust["Condition"] = condition
    properties: Template = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}
    }
    if allowed:
        document = {"Version": "2012-10-17", "Statement": allowed}
        properties["Policies"] = [{"PolicyName": "agent", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def agent_statements(tested: Tested) -> list[Template]:
    """What the agent itself may do."""
    return statements(tested)


def pull_statements(shape: Shape) -> list[Template]:
    """What fetching the image needs."""
    repository = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository"
    return [
        {
            "Sid": "PullItsOwnImage",
            "Effect": "Allow",
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [{"Fn::Sub": f"{repository}/{shape.name}"}],
        },
        {
            "Sid": "LogInToTheRegistry",
            "Effect": "Allow",
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": ["*"],
        },
    ]


def log_statement(resource: Template, *more: str) -> Template:
    """What writing the log needs."""
    return {
        "Sid": "WriteItsOwnLog",
        "Effect": "Allow",
        "Action": sorted({"logs:CreateLogStream", "logs:PutLogEvents", *more}),
        "Resource": [resource],
    }


def log_configuration(prefix: str) -> Template:
    """That a container of a task writes into the log."""
    return {
        "LogDriver": "awslogs",
        "Options": {
            "awslogs-group": ref("Logs"),
            "awslogs-region": ref("AWS::Region"),
            "awslogs-stream-prefix": prefix,
        },
    }


def log_group() -> Template:
    """The log, kept for 30 days."""
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}}


def ref(name: str) -> Template:
    """A reference."""
    return {"Ref": name}


def attribute(name: str, of: str) -> Template:
    """An attribute of a resource."""
    return {"Fn::GetAtt": [of, name]}


def addresses(tested: Tested) -> dict[str, str]:
    """Variables that must be given, with the names of their parameters.

    `OLLAMA_HOST` is given as `OllamaHost`.
    """
    return {name: name.title().replace("_", "") for name in tested.addresses}


def description(tested: Tested) -> str:
    """What the stack is, in the console."""
    return f"Agent of Seatrial test {tested.test.id} on {base_image(tested)}"


def _value(name: str) -> str:
    return f"value {name}"


def _python_list(items: list[str]) -> str:
    if not items:
        return "[]"
    lines = "".join(f"    {json.dumps(item)},\n" for item in items)
    return f"[\n{lines}]"
