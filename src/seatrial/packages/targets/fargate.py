"""The target `fargate`: an Amazon ECS service without servers of its own."""

from __future__ import annotations

from seatrial.packages.render import render
from seatrial.packages.sizing import CONCURRENCY, Number, fargate_size, needed
from seatrial.packages.tested import Tested

from . import aws, nag
from .base import Shape, Target, tested_machine

_MACHINES = {"x86_64": "X86_64", "aarch64": "ARM64"}
_CLASS = "The agent as a service on Amazon ECS Fargate, open to one range of addresses."


def _refused(tested: Tested) -> str:
    if fargate_size(tested) is None:
        return f"Fargate has 30 GiB at most; needed: {needed(tested, CONCURRENCY).why}."
    if tested.architecture not in _MACHINES:
        return f"Fargate does not run {tested.architecture}."
    return ""


def _numbers(tested: Tested) -> dict[str, Number]:
    cpu, memory = _size(tested)
    return {"CPU units (1,024 are a core)": cpu, "memory, MiB": memory}


def _size(tested: Tested) -> tuple[Number, Number]:
    found = fargate_size(tested)
    assert found is not None  # else it was refused
    return found


def _files(tested: Tested, shape: Shape) -> dict[str, str]:
    cpu, memory = _size(tested)
    stack = aws.stack_text(
        tested,
        shape,
        imports="from aws_cdk import aws_ec2 as ec2\n"
        "from aws_cdk import aws_ecs as ecs\n"
        "from aws_cdk import aws_iam as iam\n"
        "from aws_cdk import aws_logs as logs",
        numbers=f"# {cpu.why}.\nCPU_UNITS = {cpu.value}\n"
        f"# {memory.why}.\nMEMORY_MIB = {memory.value}\n"
        f'# That of the test.\nARCHITECTURE = "{_MACHINES[tested.architecture]}"',
        class_=_CLASS,
        body="stack_fargate",
        acknowledged={**nag.LOG_IN, **nag.FARGATE},
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
        ),
        "smoke.py": render("smoke"),
    }


def template(tested: Tested, shape: Shape) -> aws.Template:
    """The template that `cdk synth` makes of the stack."""
    head = aws.template_head(tested)
    head["Parameters"] |= {
        "VpcId": aws.parameter("The network to run in."),
        "SubnetIds": aws.parameter("Subnets with a way to the internet.", "CommaDelimitedList"),
        "AllowedCidr": aws.parameter("The range of addresses that may call it."),
    }
    start = [*aws.pull_statements(shape), aws.log_statement(aws.attribute("Arn", "Logs"))]
    return {
        **head,
        "Resources": {
            "Logs": aws.log_group(),
            "Role": aws.role("ecs-tasks.amazonaws.com", aws.agent_statements(tested)),
            "ExecutionRole": aws.role("ecs-tasks.amazonaws.com", start),
            "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": _task(tested, shape)},
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": shape.name}},
            "SecurityGroup": {"Type": "AWS::EC2::SecurityGroup", "Properties": _group()},
            "Service": {"Type": "AWS::ECS::Service", "Properties": _service(shape)},
        },
        "Outputs": {"ClusterName": {"Value": aws.ref("Cluster")}},
    }


def _task(tested: Tested, shape: Shape) -> aws.Template:
    cpu, memory = _size(tested)
    return {
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
        "ContainerDefinitions": [_container(tested)],
    }


def _container(tested: Tested) -> aws.Template:
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
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": aws.ref("Logs"),
                "awslogs-region": aws.ref("AWS::Region"),
                "awslogs-stream-prefix": "agent",
            },
        },
    }
    if variables := aws.variables(tested):
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


def _service(shape: Shape) -> aws.Template:
    return {
        "ServiceName": shape.name,
        "Cluster": aws.ref("Cluster"),
        "TaskDefinition": aws.ref("Task"),
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
    "- *It needs an Ollama*: OLLAMA_HOST must lead to one from that network. Fargate has no GPU.",
)
