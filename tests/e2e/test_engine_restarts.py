"""An engine without the image, restarted in the middle of a test, and robbed of the image."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from seatrial.domain.events import LogEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.engines.private import Kind, PrivateEngine
from tests.support import agents
from tests.support.serving import Serving

from .test_crashes import containers, until_gone, wait_for_text

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(params=["docker", "podman"])
def own_engine(request: pytest.FixtureRequest, engine_images: Path) -> Iterator[PrivateEngine]:
    """An engine of this test's own, with nothing in it."""
    assert engine_images.is_dir()
    kind: Kind = request.param
    request.getfixturevalue(f"{kind}_socket")  # installs it
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/var/tmp"))
    folder.chmod(0o755)
    engine = PrivateEngine(kind, folder / kind)
    asyncio.run(engine.start())
    yield engine
    asyncio.run(engine.stop())
    shutil.rmtree(folder, ignore_errors=True)


def restart(engine: PrivateEngine) -> None:
    """As a service manager does it: SIGTERM, its end, and a new start."""
    pid = int((engine.folder / "engine.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        assert time.monotonic() < deadline, "the engine does not end"
        time.sleep(0.05)
    asyncio.run(PrivateEngine(engine.kind, engine.folder).start())


def remove_images(engine: PrivateEngine) -> int:
    """Every image, as somebody does who cleans up; how many."""

    async def work() -> int:
        connector = aiohttp.UnixConnector(str(engine.socket))
        async with aiohttp.ClientSession("http://engine", connector=connector) as session:
            async with session.get("/v1.40/images/json") as answer:
                images = [image["Id"] for image in await answer.json()]
            for image in images:
                async with session.delete(f"/v1.40/images/{image}", params={"force": "1"}) as gone:
                    assert gone.status == 200, await gone.text()
            return len(images)

    return asyncio.run(work())


@pytest.mark.spec("edge-1", "edge-3", "FR-013", "SC-006")
def test_a_restarted_engine_or_a_lost_image_costs_a_test_time_and_nothing_else(
    own_engine: PrivateEngine, engine_images: Path
) -> None:
    process = Serving({"docker_host": own_engine.url, "registry": "127.0.0.1:1"})
    (process.data_dir / "images").symlink_to(engine_images)
    process.start()
    try:
        with process.client() as client:
            test = client.submit(files=agents.files(agents.SLOW), query="40", model="none")
            wait_for_text(client, test.id, "tick 3")
            restart(own_engine)
            done = client.wait(test.id)
            events = [event.data for event in client.events(test.id)]
            assert remove_images(own_engine) >= 1
            again = client.submit(files=agents.files(agents.ECHO), query="x", model="none")
            after = client.wait(again.id)
            until_gone(own_engine.url, test.id)
            assert containers(own_engine.url, again.id) == []
    finally:
        process.close()

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    said = "".join(data.text for data in events if isinstance(data, LogEvent))
    assert said.endswith("".join(f"tick {tick}\n" for tick in range(40)))
    phases = [data for data in events if isinstance(data, PhaseEvent)]
    assert [phase.phase for phase in phases].count(Phase.COMPLETED) == 1
    if own_engine.kind == "podman":
        # Its containers do not end with it: the test has noticed nothing.
        assert done.attempt == 1
    assert (after.outcome, after.attempt) == (Outcome.SUCCEEDED, 1), after.failure
