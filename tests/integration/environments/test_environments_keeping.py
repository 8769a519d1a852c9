"""What is kept, what is removed, and what is left when a worker dies."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict
from pathlib import Path

import pytest
from environment_rig import Rig, Rigs
from tests.support.local_index import LocalIndex, wheel

from seatrial.environments import ENVIRONMENT_LABEL

pytestmark = pytest.mark.engine

_LARGE = {f"pkg_{number}.py": f"value = {number}\n" * 200 for number in range(50)}


def age(rig: Rig, key: str, seconds: float) -> None:
    """Make it look as if it had been used that long ago."""
    marker = rig.place.kept / "complete" / f"{key}.json"
    assert marker.exists()
    then = time.time() - seconds
    os.utime(marker, (then, then))


async def worker(rig: Rig, requirements: str) -> Process:
    """Another process that prepares the same thing in the same folder."""
    place = {name: str(value) for name, value in asdict(rig.place).items() if name != "settings"}
    job = {"place": {**place, "settings": rig.place.settings}, "requirements": requirements}
    program = Path(__file__).with_name("environment_process.py")
    return await asyncio.create_subprocess_exec(
        sys.executable, str(program), json.dumps(job), stdout=PIPE, cwd=Path(__file__).parents[3]
    )


async def said(process: Process, text: str) -> None:
    """Return when the process has said that."""
    assert process.stdout is not None
    async for line in process.stdout:
        if text in json.loads(line).get("said", ""):
            return
    pytest.fail(f"it ended without saying {text!r}")


async def end_of(process: Process) -> dict[str, object]:
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out.splitlines()[-1])


async def test_the_least_recently_used_go_first_and_none_in_use_goes(
    rig: Rig, index: LocalIndex
) -> None:
    keys: list[str] = []
    for name in ("pkga", "pkgb", "pkgc"):
        index.add(wheel(name, "1.0", _LARGE))
        keys.append((await rig.prepare(name)).key)
    await rig.environments.aclose()
    for key, seconds in zip(keys, (3000, 2000, 1000), strict=True):
        age(rig, key, seconds)
    entries = await rig.environments.entries()
    assert [entry.key for entry in entries] == list(reversed(keys))
    assert all(entry.packages == 1 and entry.size_bytes > 50 * 4096 for entry in entries)
    oldest = await rig.prepare("pkga")
    age(rig, oldest.key, 3000)
    release = asyncio.Event()
    using = asyncio.create_task(_use(rig, oldest.key, release))
    await asyncio.wait_for(_is_used(rig), 30)
    freed = await rig.environments.prune(keep_bytes=0)
    release.set()
    await using
    assert freed > 100_000
    assert [entry.key for entry in await rig.environments.entries()] == [oldest.key]
    assert await rig.environments.prune() > 0
    assert await rig.environments.entries() == []
    assert (await rig.prepare("pkga")).path


async def _use(rig: Rig, key: str, release: asyncio.Event) -> None:
    """A container that says it uses the environment, until released."""
    environment = await rig.prepare("")
    running = asyncio.create_task(
        rig.run(environment, "import time; time.sleep(60)", labels={ENVIRONMENT_LABEL: key})
    )
    await release.wait()
    running.cancel()
    await asyncio.wait({running})


async def _is_used(rig: Rig) -> None:
    while not any(name.startswith("seatrial-run-") for name in await rig.containers()):
        await asyncio.sleep(0.05)


async def test_the_limit_is_kept_to_after_a_build(rigs: Rigs, index: LocalIndex) -> None:
    rig = await rigs.open(environments_max_gb=0.000_001)
    index.add(wheel("pkga", "1.0", _LARGE))
    index.add(wheel("pkgb", "1.0", {}))
    first = await rig.prepare("pkga")
    await rig.environments.aclose()
    age(rig, first.key, 1000)
    second = await rig.prepare("pkgb")
    await rig.environments.aclose()
    assert [entry.key for entry in await rig.environments.entries()] == [second.key]
    assert Path(second.path or "").is_dir()
    assert not Path(first.path or "").exists()


@pytest.mark.spec("FR-009")
async def test_after_a_worker_was_killed_in_a_build_the_next_one_builds(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("pkga", "1.0", {**_LARGE, "pkga.py": "value = 1\n"}))
    process = await worker(rig, "pkga")
    await said(process, "Installing")
    process.kill()
    await process.wait()
    environment = await rig.prepare("pkga")
    assert not environment.cached
    assert await rig.run(environment, "import pkga; print(pkga.value)") == (0, "1\n")
    assert await rig.containers() == []


async def test_half_a_tree_is_not_taken_for_a_whole_one(rig: Rig, index: LocalIndex) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": "value = 1\n"}))
    whole = await rig.prepare("pkga")
    (rig.place.kept / "complete" / f"{whole.key}.json").unlink()
    for path in Path(whole.path or "").rglob("pkga*"):
        if path.is_file():
            path.unlink()
    again = await rig.prepare("pkga")
    assert (again.key, again.cached) == (whole.key, False)
    assert await rig.run(again, "import pkga; print(pkga.value)") == (0, "1\n")


async def test_two_processes_make_the_same_tree_once(rig: Rig, index: LocalIndex) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": "value = 1\n"}))
    processes = await asyncio.gather(worker(rig, "pkga"), worker(rig, "pkga"))
    ends = await asyncio.gather(*[end_of(process) for process in processes])
    assert len({str(end["key"]) for end in ends}) == 1
    assert sorted(bool(end["cached"]) for end in ends) == [False, True]


@pytest.mark.spec("FR-009", "FR-011")
async def test_a_cancelled_build_leaves_no_container_and_can_be_repeated(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": ""}))
    preparing = asyncio.create_task(rig.prepare("pkga"))
    while not await rig.containers():
        await asyncio.sleep(0.02)
    started = time.monotonic()
    preparing.cancel()
    await asyncio.wait({preparing})
    assert preparing.cancelled()
    assert await rig.containers() == []
    assert time.monotonic() - started < 60
    assert (await rig.prepare("pkga")).path


async def test_who_still_waits_gets_the_build_that_another_gave_up(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": ""}))
    impatient = asyncio.create_task(rig.prepare("pkga"))
    patient = asyncio.create_task(rig.prepare("pkga"))
    while not await rig.containers():
        await asyncio.sleep(0.02)
    impatient.cancel()
    assert (await patient).path
    assert impatient.cancelled()
