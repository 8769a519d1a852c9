"""After any end the journal's receipt names each part of the container, and it is really gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from seatrial.domain.events import CleanupEvent
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.busy import allowed
from tests.support.serving import Serving

from .test_crashes import containers, wait_for_text

pytestmark = [pytest.mark.engine, pytest.mark.timeout(200)]

PARTS = {
    *("container", "tmpfs", "image_layer"),
    *("door_socket", "channel_socket", "credentials", "folder"),
}
ENDS = {
    "succeeded": (agents.ECHO, Outcome.SUCCEEDED),
    "failed": ("def run(query):\n    raise ValueError(query)\n", Outcome.FAILED),
    "exited": ("import os\ndef run(query):\n    os._exit(3)\n", Outcome.FAILED),
    "timed out": (agents.STUBBORN, Outcome.TIMED_OUT),
}


def inspected(engine_url: str, container: str) -> Any:
    """All that the engine itself tells about a container."""

    async def ask() -> Any:
        connector = aiohttp.UnixConnector(engine_url.removeprefix("unix://"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://engine/v1.40/containers/{container}/json") as answer,
        ):
            return await answer.json()

    return asyncio.run(ask())


@pytest.mark.spec("FR-009", "SC-009", "FR-013")
def test_every_end_is_cleaned_up_within_two_seconds_part_by_part(
    serving: Serving, engine_url: str
) -> None:
    with serving.client() as client:
        tests = {
            name: client.submit(
                files=agents.files(source),
                query="x",
                model="none",
                timeout_seconds=3 if source is agents.STUBBORN else 60,
            )
            for name, (source, _) in ENDS.items()
        }
        done = {name: client.wait(test.id) for name, test in tests.items()}
        journals = {name: list(client.events(test.id)) for name, test in tests.items()}
    shown = serving.cli("tests", "show", tests["succeeded"].id).stdout

    slowest: list[float] = []
    for name, (_, outcome) in ENDS.items():
        assert done[name].outcome is outcome, (name, done[name].failure)
        [cleanup] = [e.data for e in journals[name] if isinstance(e.data, CleanupEvent)]
        assert (set(cleanup.removed), cleanup.left) == (PARTS, ())
        receipt = done[name].receipt
        assert receipt is not None
        assert (receipt.removed, receipt.left) == (cleanup.removed, ())
        assert containers(engine_url, tests[name].id) == []
        slowest.append(max(cleanup.removed.values()))
    assert min(slowest) < allowed(2.0), slowest
    [line] = [line for line in shown.splitlines() if "cleaned" in line and "tmpfs" in line]
    for part in PARTS:
        assert part.replace("_", " ") in line


@pytest.mark.spec("FR-009", "SC-009")
def test_what_a_receipt_calls_gone_is_not_on_the_machine_any_more(
    serving: Serving, engine_url: str
) -> None:
    with serving.client() as client:
        test = client.submit(files=agents.files(agents.SLOW), query="600", model="none")
        wait_for_text(client, test.id, "tick 1")
        [container] = containers(engine_url, test.id)
        told = inspected(engine_url, container)
        process = Path(f"/proc/{told['State']['Pid']}")
        layer = Path(told["GraphDriver"]["Data"]["UpperDir"])
        folder = serving.data_dir / "slots" / f"seatrial-{test.id}-1"
        there = (process, layer, folder / "door" / "gateway.sock", folder / "door" / "channel.sock")
        assert [path.exists() for path in there] == [True] * 4
        client.cancel(test.id)
        done = client.wait(test.id)
        # At once: the end is told after the receipt, and that after what it speaks of.
        assert [path.exists() for path in (*there, folder)] == [False] * 5

    assert done.receipt is not None
    assert set(done.receipt.removed) == PARTS
    removed = done.receipt.removed
    assert removed["tmpfs"] <= removed["image_layer"] <= removed["container"] <= removed["folder"]
