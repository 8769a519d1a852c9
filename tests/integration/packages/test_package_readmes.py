"""The commands of a package's README, as they stand there, from an unpacked archive to the end."""

from __future__ import annotations

import re
import subprocess
import time
import uuid
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.cloud import Cloud, cloud
from tests.support.cloud_tools import CloudTools, cloud_tools
from tests.support.composed import compose_settings
from tests.support.package_images import Engine, free_port, prepare_base
from tests.support.tested import LOCK, succeeded

from seatrial.domain.packages import Target
from seatrial.domain.requests import TestRequest
from seatrial.packages import Tested, make_package
from seatrial.packages.make import agent_name

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

MINUTES = 15
KEY = "sk-a-key-of-the-user"
AGENT = """
import os, six

def run(query):
    return f"{query} six {six.__version__}, key {os.environ['OPENAI_API_KEY'][-8:]}"
"""
ANSWER = "What is the sea? six 1.17.0, key the-user"
ALONE = AGENT.replace("import os, six", "import os").replace("six {six.__version__}, ", "")


@pytest.fixture(scope="module")
def tools() -> CloudTools:
    return cloud_tools()


def agent_with_a_key(code: str = AGENT, lock: str = LOCK) -> Tested:
    """Named unlike those of other sessions, which may share the engine."""
    request = TestRequest(files={"agent.py": code}, query="What is the sea?", model="openai:gpt-x")
    tested = succeeded("openai", lock=lock, request=request)
    test_id = f"01test{uuid.uuid4().hex[:19]}"
    return replace(tested, test=tested.test.model_copy(update={"id": test_id}))


def unpacked(tested: Tested, target: Target, folder: Path) -> Path:
    """As `unzip` does it: with the programs' rights."""
    package = make_package(tested, target)
    archive = folder / package.file_name
    archive.write_bytes(package.content)
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            path = Path(opened.extract(member, folder))
            path.chmod(member.external_attr >> 16 & 0o777)
    return archive.with_suffix("")


class Reader:
    """Somebody who does what the README says, line by line, and fills in what it names."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        block = (folder / "README.md").read_text().split("## Deploy")[1].split("```")[1]
        self.commands = block.removeprefix("sh\n").splitlines()
        self.seconds: dict[str, float] = {}

    def follow(self, command: str) -> str:
        """What the command says. AssertionError when it fails."""
        started = time.monotonic()
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.seconds[command.split(maxsplit=1)[0]] = time.monotonic() - started
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        assert KEY not in done.stdout + done.stderr
        if named := re.search(r"# then fill in (.*)", command):
            self._fill_in(named.group(1).split(", "))
        return done.stdout

    def _fill_in(self, names: list[str]) -> None:
        file = self._folder / ".env"
        text = file.read_text()
        for name in names:
            assert f"{name}=\n" in text
            text = text.replace(f"{name}=\n", f"{name}={KEY}\n")
        file.write_text(text)

    def told(self) -> str:
        """The times, for people."""
        each = ", ".join(f"{name} {value:.1f} s" for name, value in self.seconds.items())
        return f"{sum(self.seconds.values()):.1f} s in all: {each}"


@pytest.mark.spec("US2-6", "SC-008")
async def test_the_readme_of_a_package_deploys_it_and_removes_it_again(
    tools: CloudTools, docker_socket: str, engine_images: Path, tmp_path: Path
) -> None:
    tested, engine = agent_with_a_key(), Engine(docker_socket)
    await prepare_base(engine, engine_images, tested)
    folder = unpacked(tested, "lambda", tmp_path)
    with cloud(tools, engine, tmp_path) as aws:
        reader = Reader(folder, aws.settings)
        *until_deployed, again, remove = reader.commands
        said = [reader.follow(command) for command in until_deployed]
        assert ANSWER in said[-1]
        assert ANSWER in reader.follow(again)
        reader.follow(remove)
        assert what_is_there(aws) == []
    remove_images(engine, tested)
    print("\nAWS Lambda by the README, on an emulator:", reader.told())
    assert len(aws.invoked) == 2
    assert aws.invoked[0].startswith(aws.registry)
    # The key came from the secret while it ran: the function was told where that is, and no more.
    variables = aws.told[0]["Environment"]["Variables"]
    assert "AGENT_SECRETS_ARN" in variables
    assert KEY not in str(aws.told)
    assert sum(reader.seconds.values()) < MINUTES * 60


@pytest.mark.spec("US2-6")
async def test_the_readme_of_a_package_for_compose_runs_it_here(
    tools: CloudTools, podman_socket: str, engine_images: Path, tmp_path: Path
) -> None:
    tested, engine = agent_with_a_key(ALONE, lock=""), Engine(podman_socket)
    await prepare_base(engine, engine_images, tested)
    folder = unpacked(tested, "compose", tmp_path)
    settings = compose_settings(tools, tmp_path / "bin")
    reader = Reader(folder, {**settings, "HOST_PORT": str(free_port())})
    *until_deployed, again, remove = reader.commands
    try:
        said = [reader.follow(command) for command in until_deployed]
        assert "Deployed: What is the sea? key the-user" in said[-1]
        assert "Deployed: What is the sea? key the-user" in reader.follow(again)
        [container] = containers(engine, tested)
        assert "healthcheck" in engine.run("inspect", container).stdout
    finally:
        reader.follow(remove)
        remove_images(engine, tested)
    assert containers(engine, tested) == []
    print("\nCompose by the README, on Podman:", reader.told())


def remove_images(engine: Engine, tested: Tested) -> None:
    """The package leaves its image, as its README says; the shared engine shall not keep it."""
    named = f"reference=*/{agent_name(tested)}"
    found = engine.run("images", "--quiet", "--filter", named).stdout.split()
    if found:
        engine.run("rmi", "--force", *set(found))


def containers(engine: Engine, tested: Tested) -> list[str]:
    """Containers of that test's package, ended ones too."""
    name = agent_name(tested)
    return engine.run("ps", "--all", "--quiet", "--filter", f"name={name}").stdout.split()


def what_is_there(aws: Cloud) -> list[Any]:
    """Everything of a package's that the account has now."""
    return [
        *aws.ask("cloudformation").describe_stacks()["Stacks"],
        *aws.ask("ecr").describe_repositories()["repositories"],
        *aws.ask("secretsmanager").list_secrets()["SecretList"],
    ]
