"""The disk of environments is full: the platform's fault, and none any more once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.disks import ROOT_ONLY, grow
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400), ROOT_ONLY]

TOO_SMALL_MB = 90
ENOUGH_MB = 1000


@pytest.fixture
def serving(docker_socket: str) -> Iterator[Serving]:
    """A server whose environments lie on a disk that is too small for a large one."""
    process = Serving({"docker_host": docker_socket})
    disk = process.data_dir / "environments"
    disk.mkdir()
    options = f"size={TOO_SMALL_MB}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
    process.start()
    yield process
    process.stop()
    subprocess.run(["umount", "--lazy", disk], check=True)
    process.close()


@pytest.mark.spec("edge-1", "FR-013")
def test_requirements_that_the_disk_cannot_hold_fail_for_the_platform_until_it_can(
    serving: Serving,
) -> None:
    disk: Path = serving.data_dir / "environments"
    with serving.client() as client:
        failed = client.wait(
            client.submit(
                files=agents.files("import numpy\n" + agents.ECHO),
                requirements="numpy==2.2.6\n",
                query="x",
                model="none",
            ).id
        )
        small = client.wait(
            client.submit(files=agents.files(agents.ECHO), query="x", model="none").id
        )
        grow(disk, ENOUGH_MB)
        after = client.wait(client.retry(failed.id).id)

    assert failed.failure is not None
    assert (failed.failure.code, failed.failure.whose) == ("platform.no_capacity", "platform")
    assert "disk is full" in failed.failure.message
    assert small.outcome is Outcome.SUCCEEDED, small.failure  # it needs no room there
    assert (after.outcome, after.attempt) == (Outcome.SUCCEEDED, 1), after.failure
