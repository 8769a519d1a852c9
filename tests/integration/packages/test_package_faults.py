"""Templates of packages with a fault that CloudFormation would end a deployment for: each is found.

What a linter cannot see of a task, `test_package_tasks.py` finds by running it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.cdk_tools import cdk_tools
from tests.support.tested import MODELS, succeeded

from seatrial.domain.packages import Target
from seatrial.packages.make import package_files

pytestmark = [pytest.mark.timeout(300)]

Template = dict[str, Any]
SERVICE, TASK = "AWS::ECS::Service", "AWS::ECS::TaskDefinition"
FUNCTION, URL = "AWS::Lambda::Function", "AWS::Lambda::Url"
RUNTIME, ROLE = "AWS::BedrockAgentCore::Runtime", "AWS::IAM::Role"
CLOUD: tuple[Target, ...] = ("agentcore", "lambda", "fargate")


def resource(template: Template, kind: str) -> Template:
    """The first resource of that kind."""
    return next(one for one in template["Resources"].values() if one["Type"] == kind)


class Fault(NamedTuple):
    """What is wrong in which target's template, and the linter's rule that says so."""

    what: str
    target: Target
    rule: str
    make: Callable[[Template], None]


def put(kind: str, name: str, value: object) -> Callable[[Template], None]:
    """Give a property that value."""

    def make(template: Template) -> None:
        resource(template, kind)["Properties"][name] = value

    return make


def drop(kind: str, name: str) -> Callable[[Template], None]:
    """Leave a property out."""

    def make(template: Template) -> None:
        del resource(template, kind)["Properties"][name]

    return make


def misspell(kind: str) -> Callable[[Template], None]:
    """Name a type that there is not."""

    def make(template: Template) -> None:
        resource(template, kind)["Type"] = kind[:-1]

    return make


def wait_for_nothing(kind: str) -> Callable[[Template], None]:
    """Let it wait for a resource that is not there."""

    def make(template: Template) -> None:
        resource(template, kind)["DependsOn"] = "Nothing"

    return make


def permit(template: Template) -> None:
    """A statement with a wrong effect."""
    policy = resource(template, ROLE)["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"][0]["Effect"] = "Permit"


def without_image(template: Template) -> None:
    """A container that runs nothing."""
    del resource(template, TASK)["Properties"]["ContainerDefinitions"][0]["Image"]


def without_uri(template: Template) -> None:
    """A runtime whose container has no image."""
    resource(template, RUNTIME)["Properties"]["AgentRuntimeArtifact"] = {
        "ContainerConfiguration": {}
    }


def sized(template: Template) -> None:
    """CPU and memory that Fargate does not offer together."""
    resource(template, TASK)["Properties"] |= {"Cpu": "256", "Memory": "8192"}


NOTHING = {"Ref": "Nothing"}
FAULTS = [
    Fault("refers to nothing", "fargate", "E1020", put(SERVICE, "Cluster", NOTHING)),
    Fault("misspells a property", "fargate", "E3002", put(SERVICE, "DesiredCounts", 1)),
    Fault("misspells a type", "fargate", "E3006", misspell(SERVICE)),
    Fault("has a size that is not there", "fargate", "E3047", sized),
    Fault("has no image", "fargate", "E3003", without_image),
    Fault("allows with a wrong word", "fargate", "E3510", permit),
    Fault("waits for nothing", "fargate", "E3005", wait_for_nothing(SERVICE)),
    Fault("refers to nothing", "lambda", "E1020", put(FUNCTION, "Role", NOTHING)),
    Fault("misspells a property", "lambda", "E3002", put(FUNCTION, "MemorySizes", 512)),
    Fault("misspells a type", "lambda", "E3006", misspell(URL)),
    Fault("has a size that is not there", "lambda", "E3034", put(FUNCTION, "MemorySize", 64)),
    Fault("has no image", "lambda", "E3003", drop(FUNCTION, "Code")),
    Fault("has no role", "lambda", "E3003", drop(FUNCTION, "Role")),
    Fault("is of no architecture", "lambda", "E3030", put(FUNCTION, "Architectures", ["amd64"])),
    Fault("asks nobody who calls", "lambda", "E3030", put(URL, "AuthType", "IAM")),
    Fault("allows with a wrong word", "lambda", "E3510", permit),
    Fault("waits for nothing", "lambda", "E3005", wait_for_nothing(URL)),
    Fault("refers to nothing", "agentcore", "E1020", put(RUNTIME, "RoleArn", NOTHING)),
    Fault("misspells a property", "agentcore", "E3002", put(RUNTIME, "Protocol", "HTTP")),
    Fault("misspells a type", "agentcore", "E3006", misspell(RUNTIME)),
    Fault("has no image", "agentcore", "E3003", without_uri),
    Fault("has no role", "agentcore", "E3003", drop(RUNTIME, "RoleArn")),
    Fault("allows with a wrong word", "agentcore", "E3510", permit),
    Fault("waits for nothing", "agentcore", "E3005", wait_for_nothing(RUNTIME)),
]


@pytest.mark.spec("US2-4")
def test_every_template_lints_and_every_fault_in_one_is_found(tmp_path: Path) -> None:
    good = {
        str(write(tmp_path / f"{provider}-{target}.json", shipped(provider, target)))
        for provider in MODELS
        for target in CLOUD
    }
    faulty: dict[str, Fault] = {}
    for number, fault in enumerate(FAULTS):
        template = shipped("bedrock", fault.target)
        fault.make(template)
        faulty[str(write(tmp_path / f"fault-{number}.json", template))] = fault
    done = cdk_tools().run("cfn-lint", "--format", "json", "--template", *good, *faulty)
    found = [(one["Filename"], one["Rule"]["Id"]) for one in json.loads(done.stdout)]
    assert [one for one in found if one[0] in good] == []
    unseen = [fault for path, fault in faulty.items() if (path, fault.rule) not in found]
    assert [(one.target, one.what, one.rule) for one in unseen] == []


def test_no_stack_has_a_load_balancer_whose_target_type_or_port_could_be_wrong() -> None:
    kinds = {
        one["Type"]
        for provider in MODELS
        for target in CLOUD
        for one in shipped(provider, target)["Resources"].values()
    }
    assert SERVICE in kinds
    assert [kind for kind in kinds if "LoadBalanc" in kind] == []


def shipped(provider: str, target: Target) -> Template:
    """The template of that package."""
    files = package_files(succeeded(provider), target)
    return json.loads(files["infra/template.json"])


def write(path: Path, template: Template) -> Path:
    """Keep it for the linter."""
    path.write_text(json.dumps(template))
    return path
