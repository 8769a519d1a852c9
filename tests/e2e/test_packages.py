"""From a green test to a container of its package that answers: nothing changed in between."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from seatrial.client import Client
from seatrial.domain.errors import PackageRefused
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.cloud_tools import cloud_tools
from tests.support.package_images import Engine, build, name_base, running, wait_until_up
from tests.support.rehearsals import tried_out
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

AGENT = """
import os, six

def run(query):
    if query == "fail":
        raise RuntimeError("on purpose")
    with open("notes.txt", "x") as notes:
        notes.write(query)
    return f"{query} {six.__version__} {os.environ['CITY']} {os.environ['HOME']}"
"""


@pytest.mark.spec("US2-1", "SC-008", "edge-9")
async def test_what_was_tested_is_what_the_package_runs(
    serving: Serving, engine_url: str, engine_images: Path, tmp_path: Path
) -> None:
    engine = Engine(engine_url)
    with serving.client() as client:
        tested = client.wait(
            client.submit(
                files={"agent.py": AGENT},
                requirements="six>=1.16\nmarkupsafe\n",
                query="hello",
                model="none",
                env={"CITY": "Bonn"},
            ).id
        )
        assert tested.outcome is Outcome.SUCCEEDED, tested.failure
        refused_is_told(client, tested.id)
    archive = tmp_path / "package.zip"
    command = ("package", tested.id, "--target", "compose", "-o", str(archive), "--json")
    code, lines = serving.cli_json(*command)

    assert code == 0
    assert lines[-1]["saved_as"] == str(archive)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    folder = tmp_path / f"seatrial-{tested.id}-compose"
    receipt = json.loads((folder / "receipt.json").read_text())
    assert tested.result is not None
    assert receipt["response"] == tested.result.response
    assert receipt["environment"] == tested.environment
    assert receipt["entry_point"] == "agent.py:run"
    fetched = for_arm64(folder / "agent" / "requirements.txt", tmp_path / "arm64")
    assert sorted(name.partition("-")[0] for name in fetched) == ["markupsafe", "six"]
    assert any("aarch64" in name for name in fetched)
    await name_base(engine, engine_images, receipt["python"], receipt["base_image"])
    with running(engine, build(engine, folder)) as container:
        wait_until_up(container)
        answered = container.ask("hello")
        failed = container.ask("fail")
        evidence = container.evidence()
    assert answered == (200, {"response": tested.result.response}), evidence
    assert failed == (500, {"error": "RuntimeError: on purpose", "code": "agent.failed"})


def for_arm64(lock: Path, folder: Path) -> list[str]:
    """The wheels that the lock's hashes let pip take for a machine which the test did not have."""
    command = [str(cloud_tools().programs / "pip"), "download", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--platform", "manylinux2014_aarch64"]
    command += ["--python-version", "3.11", "--dest", str(folder), "--requirement", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [path.name for path in folder.iterdir()]


@pytest.mark.model
@pytest.mark.spec("SC-008", "SC-004")
def test_a_package_is_tried_out_behind_the_download(serving: Serving) -> None:
    with serving.client() as client:
        tested = client.wait(
            client.submit(
                files=agents.files(agents.ASK),
                query="What is the sea?",
                model="testmodel",
                record=True,
            ).id
        )
        assert tested.outcome is Outcome.SUCCEEDED, tested.failure
        made = client.build_package(tested.id, "compose")
        assert made.rehearsal.state in {"waiting", "running"}
        first = client.download_package(tested.id, "compose")
        checks = {one.name: one for one in tried_out(client, tested.id).checks}
        again = client.build_package(tested.id, "compose")
    assert {name: (one.result, one.detail) for name, one in checks.items()} == {
        "the image builds with the Dockerfile as shipped": ("passed", ""),
        "it boots and answers /ping": ("passed", ""),
        "it runs read-only and without root": ("passed", ""),
        "it answers the tested query": ("passed", "as in the test"),
        "it stops on SIGTERM": ("passed", ""),
    }
    assert (again.sha256, again.size_bytes) == (made.sha256, len(first))
    assert again.rehearsal.state == "passed"  # the same package is not tried out twice


def refused_is_told(client: Client, green: str) -> None:
    """A failed retry of the same test has no package, and the green one is as it was."""
    failed = client.wait(client.retry(green, query="fail").id)
    assert failed.outcome is Outcome.FAILED
    with pytest.raises(PackageRefused, match="Only a succeeded test is packaged"):
        client.build_package(failed.id)
    before = client.test(green)
    assert client.packages(failed.id).refused
    assert client.test(green) == before
