"""Packages for Fargate and AgentCore on an emulated AWS that runs their real images on Podman."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.cdk_tools import cdk_tools
from tests.support.cloud import KEYS, REGION, client, emulated
from tests.support.cloud_tools import cloud_tools
from tests.support.miniecs import Declared
from tests.support.package_images import Engine, prepare_base
from tests.support.tested import succeeded

from seatrial.domain.packages import Target
from seatrial.packages import Tested, make_package
from seatrial.packages.make import agent_name

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

ECHO = "echo: What is the sea?"


@pytest.fixture(scope="module")
def podman(podman_socket: str) -> Engine:
    """The engine whose containers have a network."""
    return Engine(podman_socket)


@pytest.fixture(scope="module")
def aws(podman: Engine, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The url of the emulator."""
    with emulated(cloud_tools(), tmp_path_factory.mktemp("aws"), podman) as url:
        yield url


class Packaged:
    """A package that is unpacked, with its image on the engine."""

    def __init__(self, engine: Engine, target: Target, folder: Path) -> None:
        tested = succeeded()
        named = f"01test{uuid.uuid4().hex[:19]}"  # the engine is shared
        self.tested: Tested = replace(tested, test=tested.test.model_copy(update={"id": named}))
        package = make_package(self.tested, target)
        archive = folder / package.file_name
        archive.write_bytes(package.content)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        self.folder = archive.with_suffix("")
        self.name = agent_name(self.tested)
        self.image = f"localhost/{self.name}:tested"
        self._engine = engine

    async def build(self, images: Path) -> None:
        """As `deploy.sh` builds it."""
        await prepare_base(self._engine, images, self.tested)
        context = str(self.folder / "agent")
        self._engine.run("build", "--network=host", "--quiet", "--tag", self.image, context)

    @property
    def template(self) -> dict[str, Any]:
        """The template as shipped."""
        return json.loads((self.folder / "infra" / "template.json").read_text())

    def smoke(self, url: str) -> str:
        """What the package's own smoke test says of the agent there."""
        command = [sys.executable, str(self.folder / "smoke.py"), url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def remove(self) -> None:
        """The shared engine shall not keep it."""
        self._engine.run("rmi", "--force", self.image, check=False)


@pytest.mark.spec("SC-008", "US2-4", "US2-6")
async def test_the_stack_for_fargate_goes_up_as_shipped_and_its_service_answers(
    podman: Engine, aws: str, engine_images: Path, tmp_path: Path
) -> None:
    package = Packaged(podman, "fargate", tmp_path)
    await package.build(engine_images)
    stacks, ecs, logs = (client(name, aws) for name in ("cloudformation", "ecs", "logs"))
    try:
        create(stacks, package, network(client("ec2", aws)))
        [service] = ecs.describe_services(cluster=package.name, services=[package.name])["services"]
        assert service["launchType"] == "FARGATE"
        address = running_address(ecs, package.name)
        assert ECHO in package.smoke(f"http://{address}:8080")
        [group] = logs.describe_log_groups()["logGroups"]
        named = {"logGroupName": group["logGroupName"]}
        [stream] = logs.describe_log_streams(**named)["logStreams"]
        assert stream["logStreamName"].startswith("agent/agent/")
        events = logs.get_log_events(**named, logStreamName=stream["logStreamName"])["events"]
        assert "Listening on port 8080." in [one["message"] for one in events]
        stacks.delete_stack(StackName=package.name)
        stacks.get_waiter("stack_delete_complete").wait(
            StackName=package.name, WaiterConfig={"Delay": 1}
        )
        assert ecs.list_clusters()["clusterArns"] == []
    finally:
        package.remove()


def network(ec2: Any) -> dict[str, str]:
    """The account's own, as `deploy.sh` finds it."""
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])
    subnets = ",".join(one["SubnetId"] for one in found["Subnets"])
    return {"VpcId": vpc["VpcId"], "SubnetIds": subnets, "AllowedCidr": "192.0.2.1/32"}


def create(stacks: Any, package: Packaged, more: dict[str, str]) -> None:
    """The stack of the package, complete."""
    given = {"ImageUri": package.image, **more}
    stacks.create_stack(
        StackName=package.name,
        TemplateBody=json.dumps(package.template),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": given[key]} for key in given],
    )
    stacks.get_waiter("stack_create_complete").wait(
        StackName=package.name, WaiterConfig={"Delay": 1}
    )


def running_address(ecs: Any, name: str) -> str:
    """Where the service's task is, once it runs."""
    ecs.get_waiter("services_stable").wait(
        cluster=name, services=[name], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    tasks = ecs.list_tasks(cluster=name, serviceName=name)["taskArns"]
    [task] = ecs.describe_tasks(cluster=name, tasks=tasks)["tasks"]
    [interface] = task["attachments"]
    found = {one["name"]: one["value"] for one in interface["details"]}
    return found["privateIPv4Address"]


@pytest.mark.spec("SC-008", "US2-4", "US2-6")
async def test_agentcore_starts_the_image_and_hands_queries_to_it(
    podman: Engine, aws: str, engine_images: Path, tmp_path: Path
) -> None:
    package = Packaged(podman, "agentcore", tmp_path)
    await package.build(engine_images)
    declared = Declared(package.template, {"ImageUri": package.image})
    [runtime] = declared.made("AWS::BedrockAgentCore::Runtime")
    control = client("bedrock-agentcore-control", aws)
    try:
        made = control.create_agent_runtime(
            agentRuntimeName=runtime["AgentRuntimeName"],
            agentRuntimeArtifact={
                "containerConfiguration": {
                    "containerUri": runtime["AgentRuntimeArtifact"]["ContainerConfiguration"][
                        "ContainerUri"
                    ]
                }
            },
            roleArn="arn:aws:iam::123456789012:role/agent",
            networkConfiguration={"networkMode": runtime["NetworkConfiguration"]["NetworkMode"]},
            protocolConfiguration={"serverProtocol": runtime["ProtocolConfiguration"]},
        )
        answer = client("bedrock-agentcore", aws).invoke_agent_runtime(
            agentRuntimeArn=made["agentRuntimeArn"],
            contentType="application/json",
            accept="application/json",
            payload=(package.folder / "query.json").read_bytes(),
        )
        assert json.loads(answer["response"].read()) == {"response": ECHO}
    finally:
        package.remove()


@pytest.mark.spec("US2-4", "US2-6")
def test_the_pinned_cdk_deploys_and_destroys_the_stack_without_a_bootstrap(
    podman: Engine, aws: str, tmp_path: Path
) -> None:
    package, stacks = Packaged(podman, "lambda", tmp_path), client("cloudformation", aws)
    cdk("deploy", package, aws, "--require-approval", "never", "--parameters", "ImageUri=any:1")
    [stack] = stacks.describe_stacks(StackName=package.name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {one["OutputKey"] for one in stack["Outputs"]} == {"FunctionName", "FunctionUrl"}
    [function] = client("lambda", aws).list_functions()["Functions"]
    assert function["PackageType"] == "Image"
    cdk("destroy", package, aws, "--force")
    assert client("lambda", aws).list_functions()["Functions"] == []


def cdk(command: str, package: Packaged, aws: str, *arguments: str) -> None:
    """One command of the CDK's command line that the package pins."""
    tools = cdk_tools()
    account = {
        "AWS_ENDPOINT_URL": aws.replace("127.0.0.1", "localhost"),
        "AWS_REGION": REGION,
        **KEYS,
    }
    done = subprocess.run(
        ["cdk", command, *arguments],
        cwd=package.folder / "infra",
        env={**tools.environment, **account},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
