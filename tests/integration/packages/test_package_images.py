"""Packages on real engines: the image builds as shipped, boots, answers and stops."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.support.lambda_runtime import lambda_runtime, url_event
from tests.support.package_images import Engine, build, prepare_base, running, wait_until_up
from tests.support.tested import LOCK, MODELS, succeeded

from seatrial.domain.packages import TARGETS, Target
from seatrial.domain.requests import TestRequest
from seatrial.packages import Tested, make_package
from seatrial.packages.make import package_files
from seatrial.packages.targets import REGISTRY

pytestmark = [pytest.mark.engine]

AGENT = '''
import os, six

HEARD = []

def run(query):
    """Answer in pieces, and tell what it may see and do."""
    HEARD.append(query)
    print("working on it", flush=True)
    yield f"heard {len(HEARD)} of {query!r}; "
    yield f"uid {os.getuid()}; city {os.environ['CITY']}; six {six.__version__}; "
    try:
        open("/agent/new", "w")
    except OSError as error:
        yield f"errno {error.errno}; "
    yield open("notes.txt").read()
'''

SCRIPT = """
import sys
print("asked:", sys.argv[1], "and on stdin:", sys.stdin.read())
"""


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.getfixturevalue(f"{request.param}_socket"))


def function_agent() -> Tested:
    files = {"agent.py": AGENT, "notes.txt": "and its file"}
    request = TestRequest(files=files, query="What?", model="none", env={"CITY": "Bonn"})
    return succeeded(lock=LOCK, request=request)


def script_agent() -> Tested:
    request = TestRequest(files={"agent.py": SCRIPT}, query="What?", model="none")
    return succeeded(request=request, entry_point="agent.py", framework="script")


def unpacked(tested: Tested, folder: Path, target: Target = "compose") -> Path:
    package = make_package(tested, target)
    folder.mkdir(exist_ok=True)
    archive = folder / package.file_name
    archive.write_bytes(package.content)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return archive.with_suffix("")


@pytest.mark.spec("SC-008", "FR-005", "US2-2", "US2-3")
async def test_an_image_builds_as_shipped_boots_read_only_answers_and_stops(
    engine: Engine, engine_images: Path, tmp_path: Path
) -> None:
    tested = function_agent()
    await prepare_base(engine, engine_images, tested)
    folder = unpacked(tested, tmp_path, "fargate")
    declared = declared_container(folder)
    image = build(engine, folder)
    with running(engine, image) as container:
        up = wait_until_up(container)
        first, again = container.ask("one"), container.ask("two")
        streamed = container.stream("three")
        malformed = container.ask("")
        unknown = container.get("/etc/passwd")
        health = engine.run("exec", container.id, *declared["HealthCheck"]["Command"][1:])
        started = time.monotonic()
        engine.run("stop", "--time", "30", container.id)
        stopped = time.monotonic() - started
        code = engine.run("inspect", "--format", "{{.State.ExitCode}}", container.id)
        log = container.log()

    assert up["status"] == "Healthy"
    assert first == (
        200,
        {"response": "heard 1 of 'one'; uid 10001; city Bonn; six 1.17.0; errno 30; and its file"},
    )
    # A fresh process for every query: nothing of the first is there.
    assert again[1]["response"].startswith("heard 1 of 'two'")
    assert streamed.startswith("data: \"heard 1 of 'three'; \"\n\n")
    assert streamed.split("event: result\ndata: ")[1].strip().endswith('and its file"}')
    assert (malformed[0], unknown[0]) == (400, 404)
    assert health.returncode == 0
    assert declared["PortMappings"] == [{"ContainerPort": 8080}]
    assert declared["ReadonlyRootFilesystem"] is True
    assert code.stdout.strip() == "0"
    assert stopped < 25
    assert "working on it" in log
    assert "one" not in log.replace("tell", "")  # queries are never logged


def declared_container(folder: Path) -> dict[str, Any]:
    """The container as the template declares it for ECS."""
    template = json.loads((folder / "infra" / "template.json").read_text())
    task = template["Resources"]["Task"]["Properties"]
    assert task["ExecutionRoleArn"]
    return task["ContainerDefinitions"][0]


@pytest.mark.spec("SC-008")
async def test_the_image_answers_lambdas_events_and_says_why_it_cannot_start(
    engine: Engine, engine_images: Path, tmp_path: Path
) -> None:
    tested = script_agent()
    await prepare_base(engine, engine_images, tested)
    image = build(engine, unpacked(tested, tmp_path, "lambda"))
    with lambda_runtime() as runtime:
        given = {"AWS_LAMBDA_RUNTIME_API": runtime.address}
        with running(engine, image, given):
            direct = runtime.invoke({"prompt": "why?"})
            asked = runtime.invoke(url_event("POST", "/invocations", {"prompt": "how?"}))
            ping = runtime.invoke(url_event("GET", "/ping"))
            malformed = runtime.invoke(url_event("POST", "/invocations", {}))
        keyless = build(engine, unpacked(succeeded("openai"), tmp_path / "openai", "lambda"))
        with running(engine, keyless, given):
            error = runtime.init_error()

    assert direct == {"response": "asked: why? and on stdin: why?"}
    assert (asked["statusCode"], json.loads(asked["body"])["response"]) == (
        *(200, "asked: how? and on stdin: how?"),
    )
    assert ping["statusCode"] == 200
    assert malformed["statusCode"] == 400
    assert "OPENAI_API_KEY" in error["errorMessage"]


@pytest.mark.spec("SC-008")
async def test_a_script_is_run_as_in_its_test(
    engine: Engine, engine_images: Path, tmp_path: Path
) -> None:
    tested = script_agent()
    await prepare_base(engine, engine_images, tested)
    image = build(engine, unpacked(tested, tmp_path))
    with running(engine, image) as container:
        wait_until_up(container)
        answer = container.ask("why?")

    assert answer == (200, {"response": "asked: why? and on stdin: why?"})


PROVIDED = """
import os, six

NAMES = ("SEATRIAL_PROVIDER", "SEATRIAL_MODEL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY",
         "OLLAMA_HOST", "AWS_REGION")

def run(query):
    return " ".join([query, six.__version__, *(os.environ.get(name, "-") for name in NAMES)])
"""
NEEDS: dict[str, dict[str, str]] = {
    "none": {},
    "bedrock": {},
    "openai": {"OPENAI_API_KEY": "sk-given"},
    "anthropic": {"ANTHROPIC_API_KEY": "sk-given"},
    "ollama": {"OLLAMA_HOST": "http://127.0.0.1:11434"},
}
"""What the user gives each provider's container."""
SEES = {
    "none": "- - - - - -",
    "bedrock": "bedrock us.amazon.nova-lite-v1:0 - - - us-east-1",
    "openai": "openai gpt-test sk-given - - -",
    "anthropic": "anthropic claude-test - sk-given - -",
    # OpenAI's SDK finds Ollama too, with a key that it ignores.
    "ollama": "ollama llama3.2 none - http://127.0.0.1:11434 -",
}


def provided(provider: str) -> Tested:
    """An agent that tells what it has of that provider."""
    request = TestRequest(files={"agent.py": PROVIDED}, query="q", model=MODELS[provider])
    return succeeded(provider, lock=LOCK, request=request)


@pytest.mark.parametrize("provider", MODELS)
def test_the_images_of_a_providers_targets_differ_in_their_concurrency_alone(provider: str) -> None:
    contexts: dict[Target, dict[str, Any]] = {}
    for target in TARGETS:
        files: dict[str, Any] = {
            path: data
            for path, data in package_files(provided(provider), target).items()
            if path.startswith("agent/")
        }
        config = json.loads(files.pop("agent/server/agent.json"))
        assert config.pop("concurrency") == REGISTRY[target].concurrency
        contexts[target] = {**files, "config": config}
    assert all(one == contexts["compose"] for one in contexts.values())


@pytest.mark.spec("SC-008", "FR-015", "US2-5")
async def test_the_image_of_every_provider_says_what_it_lacks_answers_and_stops(
    engine: Engine, engine_images: Path, tmp_path: Path
) -> None:
    for number, (provider, given) in enumerate(NEEDS.items()):
        tested, target = provided(provider), TARGETS[number % len(TARGETS)]
        await prepare_base(engine, engine_images, tested)
        image = build(engine, unpacked(tested, tmp_path / provider, target))
        if given:
            with running(engine, image) as container:
                assert engine.run("wait", container.id).stdout.strip() == "78"
                assert f"Not set: {', '.join(given)}." in container.log()
        with running(engine, image, given) as container:
            assert wait_until_up(container)["status"] == "Healthy"
            expected = {"response": f"q 1.17.0 {SEES[provider]}"}
            assert container.ask("q") == (200, expected), container.evidence()
            engine.run("stop", "--time", "30", container.id)
            code = engine.run("inspect", "--format", "{{.State.ExitCode}}", container.id)
            assert code.stdout.strip() == "0"
