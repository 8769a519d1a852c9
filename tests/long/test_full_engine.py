"""An engine whose own disk is full: the platform's fault, and none any more once there is room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.domain.events import PhaseEvent, QueueEvent
from seatrial.domain.phases import MAX_ATTEMPTS, Outcome
from seatrial.engines.private import Kind, PrivateEngine
from tests.support import agents
from tests.support.disks import ROOT_ONLY, grow, small_disk
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), ROOT_ONLY]

TOO_SMALL_MB = 60
ENOUGH_MB = 3000


@pytest.fixture(params=["docker", "podman"])
def full_engine(request: pytest.FixtureRequest) -> Iterator[PrivateEngine]:
    """An engine that has no room for a base image."""
    kind: Kind = request.param
    request.getfixturevalue(f"{kind}_socket")  # installs it
    with small_disk(TOO_SMALL_MB) as disk:
        disk.chmod(0o755)
        engine = PrivateEngine(kind, disk / kind)
        asyncio.run(engine.start())
        yield engine
        asyncio.run(engine.stop())


@pytest.mark.spec("edge-1", "FR-013")
@pytest.mark.provokes("platform.no_capacity")
def test_an_engine_without_room_fails_tests_for_the_platform_until_it_has_some(
    full_engine: PrivateEngine, engine_images: Path
) -> None:
    process = Serving({"docker_host": full_engine.url, "registry": "127.0.0.1:1"})
    (process.data_dir / "images").symlink_to(engine_images)
    process.start()
    try:
        with process.client() as client:
            failed = client.wait(
                client.submit(files=agents.files(agents.ECHO), query="x", model="none").id
            )
            events = [event.data for event in client.events(failed.id)]
            grow(full_engine.folder.parent, ENOUGH_MB)
            after = client.wait(client.retry(failed.id).id)
    finally:
        process.close()

    assert failed.failure is not None
    assert (failed.failure.code, failed.failure.whose) == ("platform.no_capacity", "platform")
    assert "no space left" in failed.failure.message.lower()
    assert failed.attempt == MAX_ATTEMPTS
    reasons = [data.reason for data in events if isinstance(data, QueueEvent)]
    assert any("left alone for now" in reason for reason in reasons), reasons
    ends = [data for data in events if isinstance(data, PhaseEvent) and data.outcome]
    assert [end.outcome for end in ends] == [Outcome.FAILED]
    assert (after.outcome, after.attempt) == (Outcome.SUCCEEDED, 1), after.failure
