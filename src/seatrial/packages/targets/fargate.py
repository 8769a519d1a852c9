"""The target `fargate`: an Amazon ECS service without servers of its own."""

from __future__ import annotations

from seatrial.packages.render import render
from seatrial.packages.sizing import (
    CONCURRENCY,
    FARGATE_MIB,
    OLLAMA_DISK,
    Number,
    fargate_size,
    fargate_with_ollama,
    needed,
)
from seatrial.packages.tested import OLLAMA_HOST, Tested

from . import aws, nag, ollama
from .base import Shape, Target, tested_machine

_MACHINES = {"x86_64": "X86_64", "aarch64": "ARM64"}
_CLASS = "The agent as a service on Amazon ECS Fargate, open to one range of addresses."


def _refused(tested: Tested) -> str:
    if fargate_size(tested) is None:
        largest, why = FARGATE_MIB // 1024, needed(tested, CONCURRENCY).why
        return f"Fargate has {largest} GiB at most; needed: {why}."
    if tested.architecture not in _MACHINES:
        return f"Fargate does not run {tested.architecture}."
    return ""


def _numbers(tested: Tested) -> dict[str, Number]:
    cpu, memory = _size(tested)
    found = {"CPU units (1,024 are a core)": cpu, "memory, MiB": memory}
    return found | (ollama.numbers(tested) if ollama.brings_ollama(tested) else {})


def _size(tested: Tested) -> tuple[Number, Number]:
    found = fargate_size(tested)
    assert found is not None  # else it was refused
    return found


def _files(tested: Tested, shape: Shape) -> dict[str, str]:
    optional = ollama.may_be_empty(tested)
    stack = aws.stack_text(
        tested,
        shape,
        imports="from aws_cdk import aws_ec2 as ec2\n"
        "from aws_cdk import aws_ecs as ecs\n"
        "from aws_cdk import aws_iam as iam\n"
        "from aws_cdk import aws_logs as logs",
        numbers=_stack_numbers(tested),
        class_=_CLASS,
        body="stack_fargate",
        values={
            "TASKS": ollama.stack_tasks(tested) if optional else render("stack_fargate_task"),
            "OLLAMA": ollama.stack_methods() if optional else "",
        },
        acknowledged={**nag.LOG_IN, **nag.FARGATE},
        optional=optional,
    )
    network = {"VpcId": "$VPC_ID", "SubnetIds": "$SUBNET_IDS", "AllowedCidr": "$ALLOWED_CIDR"}
    return {
        **aws.infra_files(tested, shape, stack=stack, template=template(tested, shape)),
        **aws.scripts(
            tested,
            shape,
            machine=tested.architecture,
            smoke="fargate_smoke.sh",
            network=render("fargate_network"),
            parameters=network,
            optional=optional,
        ),
        "smoke.py": render("smoke"),
    }


def _stack_numbers(tested: Tested) -> str:
    cpu, memory = _size(tested)
    return (
        f"# {cpu.why}.\nCPU_UNITS = {cpu.value}\n"
        f"# {memory.why}.\nMEMORY_MIB = {memory.value}\n"
        f'# That of the test.\nARCHITECTURE = "{_MACHINES[tested.architecture]}"'
        + (ollama.stack_numbers(tested) if ollama.brings_ollama(tested) else "")
    )


def template(tested: Tested, shape: Shape) -> aws.Template:
    """The template that `cdk synth` makes of the stack."""
    head = aws.template_head(tested)
    head["Parameters"] |= {
        "VpcId": aws.parameter("The network to run in."),
        "SubnetIds": aws.parameter("Subnets with a way to the internet.", "CommaDelimitedList"),
        "AllowedCidr": aws.parameter("The range of addresses that may call it."),
    }
    if ollama.brings_ollama(tested):
        head["Parameters"]["OllamaHost"] = ollama.parameter()
        head["Conditions"] = ollama.conditions()
    start = [*aws.pull_statements(shape), aws.log_statement(aws.attribute("Arn", "Logs"))]
    return {
        **head,
        "Resources": {
            "Logs": aws.log_group(),
            "Role": aws.role("ecs-tasks.amazonaws.com", aws.agent_statements(tested)),
            "ExecutionRole": aws.role("ecs-tasks.amazonaws.com", start),
            **_tasks(tested, shape),
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": shape.name}},
            "SecurityGroup": {"Type": "AWS::EC2::SecurityGroup", "Properties": _group()},
            "Service": {"Type": "AWS::ECS::Service", "Properties": _service(tested, shape)},
        },
        "Outputs": {"ClusterName": {"Value": aws.ref("Cluster")}},
    }


def _tasks(tested: Tested, shape: Shape) -> dict[str, aws.Template]:
    """The agent alone, and with an Ollama beside it where the package brings one."""
    variables = aws.variables(tested)
    if not ollama.brings_ollama(tested):
        return {"Task": _task(shape, tested, _size(tested), [_agent(variables)])}
    given = {name: value for name, value in variables.items() if name != OLLAMA_HOST}
    elsewhere = _agent({**given, OLLAMA_HOST: aws.ref("OllamaHost")})
    alone = _task(shape, tested, _size(tested), [elsewhere])
    beside = _agent({**given, OLLAMA_HOST: f"http://{ollama.HERE}"})
    beside["DependsOn"] = [{"ContainerName": "pull", "Condition": "SUCCESS"}]
    containers = [*ollama.containers(tested), beside]
    whole = _task(shape, tested, fargate_with_ollama(tested), containers, OLLAMA_DISK)
    return {
        "Task": {**alone, "Condition": "HasOllama"},
        "TaskWithOllama": {**whole, "Condition": "BringsOllama"},
    }


def _task(
    shape: Shape,
    tested: Tested,
    size: tuple[Number, Number],
    containers: list[aws.Template],
    disk: Number | None = None,
) -> aws.Template:
    cpu, memory = size
    properties: aws.Template = {
        "Family": shape.name,
        "RequiresCompatibilities": ["FARGATE"],
        "NetworkMode": "awsvpc",
        "Cpu": str(cpu.value),
        "Memory": str(memory.value),
        "RuntimePlatform": {
            "CpuArchitecture": _MACHINES[tested.architecture],
            "OperatingSystemFamily": "LINUX",
        },
        "TaskRoleArn": aws.attribute("Arn", "Role"),
        "ExecutionRoleArn": aws.attribute("Arn", "ExecutionRole"),
        "Volumes": [{"Name": "tmp"}, {"Name": "home"}],
        "ContainerDefinitions": containers,
    }
    if disk is not None:
        properties["EphemeralStorage"] = {"SizeInGiB": disk.value}
    return {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}


def _agent(variables: aws.Template) -> aws.Template:
    definition: aws.Template = {
        "Name": "agent",
        "Image": aws.ref("ImageUri"),
        "Essential": True,
        "ReadonlyRootFilesystem": True,
        "PortMappings": [{"ContainerPort": 8080}],
        "MountPoints": [
            {"SourceVolume": "tmp", "ContainerPath": "/tmp"},  # noqa: S108 - in the container
            {"SourceVolume": "home", "ContainerPath": "/home/agent"},
        ],
        "HealthCheck": {
            "Command": ["CMD", "python", "/serve/agent_server", "healthcheck"],
            "Interval": 30,
            "Timeout": 5,
            "Retries": 3,
            "StartPeriod": 60,
        },
        "LogConfiguration": aws.log_configuration("agent"),
    }
    if variables:
        definition["Environment"] = [
            {"Name": name, "Value": value} for name, value in variables.items()
        ]
    return definition


def _group() -> aws.Template:
    return {
        "GroupDescription": "Who may call the agent",
        "VpcId": aws.ref("VpcId"),
        "SecurityGroupIngress": [
            {
                "IpProtocol": "tcp",
                "FromPort": 8080,
                "ToPort": 8080,
                "CidrIp": aws.ref("AllowedCidr"),
            }
        ],
    }


def _service(tested: Tested, shape: Shape) -> aws.Template:
    task = aws.ref("Task")
    if ollama.brings_ollama(tested):
        task = {"Fn::If": ["BringsOllama", aws.ref("TaskWithOllama"), task]}
    return {
        "ServiceName": shape.name,
        "Cluster": aws.ref("Cluster"),
        "TaskDefinition": task,
        "LaunchType": "FARGATE",
        "DesiredCount": 1,
        "DeploymentConfiguration": {
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            "MinimumHealthyPercent": 100,
            "MaximumPercent": 200,
        },
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {
                "Subnets": aws.ref("SubnetIds"),
                "SecurityGroups": [aws.attribute("GroupId", "SecurityGroup")],
                "AssignPublicIp": "ENABLED",
            }
        },
    }


TARGET = Target(
    name="fargate",
    title="Amazon ECS Fargate",
    concurrency=CONCURRENCY,
    refused=_refused,
    machine=tested_machine,
    numbers=_numbers,
    files=_files,
    prerequisites="Docker, python3, the AWS CLI with credentials that may deploy, a region, and "
    "a network with public subnets (the account's default one is taken).",
    after=aws.AFTER,
    costs="**a running task and its public address cost money by the hour, also when nobody "
    "asks**; besides that the image in ECR, the log and the secret. `./destroy.sh` ends all of it.",
    trouble="- *The smoke test finds no answer*: only ALLOWED_CIDR may call it, by default the "
    "address of the machine that deployed.\n"
    "- *It speaks plain HTTP*: put your load balancer with TLS in front of it before others "
    "use it.\n"
    "- *It needs an Ollama*: OLLAMA_HOST must lead to one from that network, or stay empty where "
    "one comes along.\n"
    "- *The task stops with `pull` in its reason*: Docker Hub or Ollama's registry did not give "
    "the image or the model; the log's stream `pull` says why.",
    optional=ollama.may_be_empty,
    notes=ollama.notes,
)
