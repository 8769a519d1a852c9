"""The task of a package for Fargate, run container by container as its template declares it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import ollama_stand_in
from tests.support.miniecs import Declared, Refused, running_task
from tests.support.package_images import Engine, build, prepare_base
from tests.support.tested import succeeded

from seatrial.domain.requests import TestRequest
from seatrial.packages import Tested
from seatrial.packages.image import base_image
from seatrial.packages.make import package_files
from seatrial.packages.targets.ollama import IMAGE as OLLAMA

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

Template = dict[str, Any]

ASKS_OLLAMA = """
import json, os, urllib.request

def run(query):
    said = [{"role": "user", "content": query}]
    body = {"model": os.environ["SEATRIAL_MODEL"], "messages": said, "stream": False}
    url = os.environ["OLLAMA_HOST"] + "/api/chat"
    with urllib.request.urlopen(url, json.dumps(body).encode()) as answer:
        return json.loads(answer.read())["message"]["content"]
"""
PARAMETERS = {
    "ImageUri": "the-agent",
    "VpcId": "vpc-1",
    "SubnetIds": "subnet-1",
    "AllowedCidr": "192.0.2.1/32",
}


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.getfixturevalue(f"{request.param}_socket"))


async def agent_image(engine: Engine, images: Path, tested: Tested, folder: Path) -> str:
    """The image of that test's package."""
    await prepare_base(engine, images, tested)
    for path, data in package_files(tested, "fargate").items():
        if path.startswith("agent/"):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return build(engine, folder)


def ollama_image(engine: Engine, tested: Tested, folder: Path) -> str:
    """An image that looks like Ollama's to the task."""
    context = folder / "ollama" / "agent"
    context.mkdir(parents=True)
    shutil.copy(ollama_stand_in.__file__, context / "ollama")
    (context / "Dockerfile").write_text(
        f"FROM {base_image(tested)}\nCOPY ollama /bin/ollama\nRUN chmod +x /bin/ollama\n"
        'ENV OLLAMA_HOST=0.0.0.0:11434\nENTRYPOINT ["/bin/ollama"]\nCMD ["serve"]\n'
    )
    return build(engine, context.parent)


def template_of(tested: Tested) -> Template:
    """The template of its package."""
    return json.loads(package_files(tested, "fargate")["infra/template.json"])


def asks_ollama(model: str = "ollama:llama3.2") -> Tested:
    """A test that ran on that model."""
    request = TestRequest(files={"agent.py": ASKS_OLLAMA}, query="What is the sea?", model=model)
    return succeeded("ollama", request=request)


@pytest.mark.spec("SC-008", "FR-015", "US2-4")
async def test_an_ollama_beside_the_agent_has_the_model_before_the_agent_starts(
    engine: Engine, engine_images: Path, tmp_path: Path
) -> None:
    tested = asks_ollama()
    agent = await agent_image(engine, engine_images, tested, tmp_path)
    images = {"the-agent": agent, OLLAMA: ollama_image(engine, tested, tmp_path)}
    with running_task(engine, Declared(template_of(tested), PARAMETERS), images) as task:
        assert task.ask("What is the sea?") == {"response": "llama3.2 heard What is the sea?"}
        assert [task.stop("agent"), *task.order] == [
            *(0, "ollama starts", "ollama is healthy", "pull starts", "pull ends with 0"),
            *("agent starts", "ollama is healthy", "agent is healthy"),
        ]


def test_the_user_names_the_model_that_is_fetched_where_the_built_in_one_was_tested() -> None:
    template = template_of(asks_ollama("testmodel"))
    task = Declared(template, {**PARAMETERS, "SeatrialModel": "qwen3:0.6b"}).task()
    _, pull, agent = task["ContainerDefinitions"]
    assert pull["Command"] == ["pull", "qwen3:0.6b"]
    assert {"Name": "SEATRIAL_MODEL", "Value": "qwen3:0.6b"} in agent["Environment"]


def test_no_ollama_is_beside_an_agent_that_has_been_given_one() -> None:
    elsewhere = {**PARAMETERS, "OllamaHost": "http://10.0.0.9:11434"}
    task = Declared(template_of(asks_ollama()), elsewhere).task()
    [agent] = task["ContainerDefinitions"]
    assert {"Name": "OLLAMA_HOST", "Value": elsewhere["OllamaHost"]} in agent["Environment"]
    assert (task["Cpu"], "EphemeralStorage" in task) == ("256", False)


# ------------------------------------------------------------------ faults


def task_of(template: Template) -> Template:
    """Its only task definition."""
    return template["Resources"]["Task"]["Properties"]


def no_execution_role(template: Template) -> None:
    """Fargate could not fetch the image."""
    del task_of(template)["ExecutionRoleArn"]


def wrong_port(template: Template) -> None:
    """The agent listens on 8080."""
    task_of(template)["ContainerDefinitions"][0]["PortMappings"] = [{"ContainerPort": 9999}]
    opened = template["Resources"]["SecurityGroup"]["Properties"]["SecurityGroupIngress"][0]
    opened |= {"FromPort": 9999, "ToPort": 9999}


def wrong_opening(template: Template) -> None:
    """Callers come to a port that no container has."""
    opened = template["Resources"]["SecurityGroup"]["Properties"]["SecurityGroupIngress"][0]
    opened |= {"FromPort": 9999, "ToPort": 9999}


def checks_by(*command: str) -> Callable[[Template], None]:
    """Another health check."""

    def make(template: Template) -> None:
        check = task_of(template)["ContainerDefinitions"][0]["HealthCheck"]
        check["Command"] = ["CMD", *command]

    return make


def waits_for_nobody(template: Template) -> None:
    """It starts after a container that there is not."""
    needed = {"ContainerName": "model", "Condition": "SUCCESS"}
    task_of(template)["ContainerDefinitions"][0]["DependsOn"] = [needed]


def writes_into_roots_folder(template: Template) -> None:
    """A volume where the image declares none belongs to root."""
    mounts = task_of(template)["ContainerDefinitions"][0]["MountPoints"]
    mounts.append({"SourceVolume": "home", "ContainerPath": "/data"})


FAULTS: list[tuple[Callable[[Template], None], str]] = [
    (no_execution_role, "nothing may fetch its image"),
    (wrong_port, "does not listen where it says"),
    (wrong_opening, "nothing listens on port 9999"),
    (checks_by("curl", "-f", "http://127.0.0.1:8080/ping"), "is not in its image"),
    (
        checks_by(
            "python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthy')"
        ),
        "404",
    ),
    (waits_for_nobody, "waits for model, which is not there"),
    (writes_into_roots_folder, "/data is root's"),
]


@pytest.mark.spec("US2-4")
async def test_a_task_runs_as_declared_and_no_fault_in_one_does(
    docker_socket: str, engine_images: Path, tmp_path: Path
) -> None:
    tested, engine = succeeded(), Engine(docker_socket)
    images = {"the-agent": await agent_image(engine, engine_images, tested, tmp_path)}
    with running_task(engine, Declared(template_of(tested), PARAMETERS), images) as task:
        assert task.ask("What?") == {"response": "echo: What?"}
        assert task.stop("agent") == 0
    for make, said in FAULTS:
        template = template_of(tested)
        make(template)
        with (
            pytest.raises(Refused, match=said),
            running_task(engine, Declared(template, PARAMETERS), images) as task,
        ):
            task.ask("What?")
