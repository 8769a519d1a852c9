"""Packages of a test with secrets in every place: none is in the archive, the image or a log."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from seatrial.client import Client
from seatrial.domain.packages import Target
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.leaky import LeakyService, leaky_service
from tests.support.package_images import Engine, build, name_base, running, wait_until_up
from tests.support.rehearsals import tried_out
from tests.support.serving import Serving
from tests.support.written import traces

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

OPERATOR = {
    "OPENAI_API_KEY": "sk-canary/op+pack9f31c7aa02be",
    "ANTHROPIC_API_KEY": "sk-ant-canary/op+pack77ab0c41",
    "AWS_ACCESS_KEY_ID": "AKIACANARY0000000088",
    "AWS_SECRET_ACCESS_KEY": "canary/aws+pack/40/characters/long/0088x",
    "PAYROLL_PASSWORD": "canary/payroll+pack/5512e0",
}
USERS = "sk-canary/user+pack5f3a9c71d2e8"
TOOL = "canary/tool+pack1b7d/44e0c2f9"
EVERY = (*OPERATOR.values(), USERS, TOOL)

AGENT = """
import hashlib, json, os, urllib.request

def run(query):
    print("asked with", os.environ["OPENAI_API_KEY"][:5], flush=True)
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps({"model": "m", "messages": [{"role": "user", "content": query}]}).encode(),
        {"Content-Type": "application/json",
         "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})
    with urllib.request.urlopen(request) as answer:
        said = json.loads(answer.read())["choices"][0]["message"]["content"]
    return said + "; token " + hashlib.sha256(os.environ["WEATHER_TOKEN"].encode()).hexdigest()
"""
DIGEST = hashlib.sha256(TOOL.encode()).hexdigest()


@pytest.fixture
def keeper(engine_url: str) -> Iterator[Serving]:
    """A server whose operator has keys in the environment."""
    process = Serving({"docker_host": engine_url}, extra_environment=OPERATOR).start()
    yield process
    process.close()


def found(texts: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Where something of a canary stands, in any writing."""
    sought = {trace: secret for secret in EVERY for trace in traces(secret)}
    hits = {
        name: sorted({secret for trace, secret in sought.items() if trace in text})
        for name, text in texts.items()
    }
    return {name: secrets for name, secrets in hits.items() if secrets}


def packed(client: Client, test_id: str, target: Target, folder: Path) -> dict[str, bytes]:
    """Every file of the package, which is unpacked there, and its archive."""
    client.build_package(test_id, target)
    archive = client.download_package(test_id, target)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(folder)
        return {target: archive} | {name: opened.read(name) for name in opened.namelist()}


def layers_of(engine: Engine, image: str, base: str, file: Path) -> dict[str, bytes]:
    """What the image is saved as: its configuration and history, and its layers above the base."""
    form = "{{json .RootFS.Layers}}"
    below = len(json.loads(engine.run("image", "inspect", "--format", form, base).stdout))
    engine.run("save", "--output", str(file), image)
    with tarfile.open(file) as saved:

        def read(name: str) -> bytes:
            member = saved.extractfile(name)
            assert member is not None
            return member.read()

        [listed] = json.loads(read("manifest.json"))
        above = {f"layer {name}": plain(read(name)) for name in listed["Layers"][below:]}
        return {"configuration": read(listed["Config"]), **above}


def plain(layer: bytes) -> bytes:
    """The layer's tar, which holds its files as they are."""
    return gzip.decompress(layer) if layer.startswith(b"\x1f\x8b") else layer


def given_by_the_user(keeper: Serving, service: LeakyService) -> None:
    """The user's model key and the tool's secret, stored."""
    options = ("--provider", "openai", "--stdin", "--base-url", service.url)
    done = [
        keeper.cli("credentials", "set", "mine", *options, stdin=USERS),
        keeper.cli("credentials", "set", "weather", "--provider", "secret", "--stdin", stdin=TOOL),
    ]
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]


@pytest.mark.spec("FR-008", "FR-015", "SC-008")
async def test_no_secret_is_in_a_package_and_its_container_has_what_it_is_given(
    keeper: Serving, engine_url: str, engine_images: Path, tmp_path: Path
) -> None:
    engine = Engine(engine_url)
    seen: dict[str, bytes] = {}
    with leaky_service() as service, keeper.client() as client:
        given_by_the_user(keeper, service)
        tested = client.wait(
            client.submit(
                files=agents.files(AGENT),
                query="hello",
                model="openai:m",
                credential="mine",
                secrets={"WEATHER_TOKEN": "weather"},
            ).id
        )
        assert tested.outcome is Outcome.SUCCEEDED, tested.failure
        assert set(service.keys) == {USERS}
        seen |= packed(client, tested.id, "compose", tmp_path)
        rehearsal = tried_out(client, tested.id)
        seen |= packed(client, tested.id, "lambda", tmp_path)
        seen["rehearsal"] = rehearsal.model_dump_json().encode()
        seen["log"] = keeper.log.encode()

        folder = tmp_path / f"seatrial-{tested.id}-compose"
        receipt = json.loads((folder / "receipt.json").read_text())
        await name_base(engine, engine_images, receipt["python"], receipt["base_image"])
        image = build(engine, folder)
        seen |= layers_of(engine, image, receipt["base_image"], tmp_path / "image.tar")
        of_dotenv = {
            "OPENAI_API_KEY": USERS,
            "OPENAI_BASE_URL": service.url,
            "WEATHER_TOKEN": TOOL,
        }
        with running(engine, image, of_dotenv) as container:
            wait_until_up(container)
            answer = container.ask("hello")
            seen["container's log"] = container.log().encode()

    assert answer == (200, {"response": f"key {USERS}; token {DIGEST}"})
    assert found(seen) == {}
    checks = {one.name: one.result for one in rehearsal.checks}
    assert checks["it boots and answers /ping"] == "passed"
    # The search looks where something is.
    assert b"WEATHER_TOKEN=" in seen[f"{folder.name}/.env.example"]
    layers = [text for name, text in seen.items() if name.startswith("layer ")]
    assert any(b"def run(query)" in text for text in layers)
    assert b"/serve/agent_server" in seen["configuration"]
    assert "asked with" in seen["container's log"].decode()
    assert found({"planted": f"x{TOOL.encode().hex()}".encode()}) == {"planted": [TOOL]}
