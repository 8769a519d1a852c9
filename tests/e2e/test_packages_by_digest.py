"""Where the base image came from a registry, its package is built on that very image."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from seatrial.domain.phases import Outcome
from tests.support.package_images import Engine
from tests.support.registry import offer_base, registry
from tests.support.rehearsals import tried_out

from .conftest import MakeServing

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


@pytest.mark.spec("US2-2", "SC-008")
async def test_the_package_names_the_image_that_was_tested_by_its_digest(
    make_serving: MakeServing, engine_url: str, engine_images: Path, tmp_path: Path
) -> None:
    engine = Engine(engine_url)
    with registry(tmp_path) as address:
        name = await offer_base(engine, engine_images, address, "3.12-slim")
        serving = make_serving(registry=f"{address}/library")
        with serving.client() as client:
            test = client.submit(
                files={"agent.py": "def run(query):\n    return query\n"},
                query="q",
                model="none",
                python="3.12",
            )
            tested = client.wait(test.id)
            assert tested.outcome is Outcome.SUCCEEDED, tested.failure
            client.build_package(tested.id, "compose")
            archive = tmp_path / "package.zip"
            archive.write_bytes(client.download_package(tested.id, "compose"))
            rehearsal = tried_out(client, tested.id)
        engine.run("rmi", f"{address}/library/python:3.12-slim")
    assert rehearsal.state == "passed", rehearsal.checks
    folder = f"seatrial-{tested.id}-compose"
    with zipfile.ZipFile(archive) as opened:
        dockerfile = opened.read(f"{folder}/agent/Dockerfile").decode()
        receipt = json.loads(opened.read(f"{folder}/receipt.json"))
    assert f"ARG PYTHON_IMAGE={name}\n" in dockerfile
    assert receipt["base_image"] == name
