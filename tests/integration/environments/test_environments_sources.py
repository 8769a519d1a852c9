"""Packages that have no wheel: foreign code runs to build them, and gets nowhere."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from pathlib import Path

import pytest
from environment_rig import Rig, Rigs, snapshot
from tests.support.local_index import LocalIndex, sdist, wheel

from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure

pytestmark = pytest.mark.engine

_EXPLORE = """
import json, socket, subprocess, sys

def attempt(action):
    try:
        return "did it: " + repr(action())
    except BaseException as error:
        return "refused: " + type(error).__name__

def connect(host, port):
    return socket.create_connection((host, port), timeout=3)

def tunnel(host, port):
    door = connect("127.0.0.1", 8377)
    door.sendall(f"CONNECT {host}:{port} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
    answer = door.recv(100).split(b"\\r\\n")[0].decode()
    assert " 200 " in answer, answer
    return answer

def explore():
    write = lambda path: open(path, "w").write("poison")
    return {
        "uid": os.getuid(),
        "environment": sorted(os.environ),
        "shared folder": os.path.exists("/seatrial/environments"),
        "write uv": attempt(lambda: write("/seatrial/bin/uv")),
        "write harness": attempt(lambda: write("/seatrial/lib/harness/boot.py")),
        "write certificates": attempt(lambda: write("/seatrial/certificates.pem")),
        "write root": attempt(lambda: write("/poison")),
        "write program": attempt(lambda: write("/agent/sources.py")),
        "read the claim": attempt(lambda: open("/seatrial/door/claim").read()),
        "host service": attempt(lambda: connect("127.0.0.1", CANARY)),
        "host service by the door": attempt(lambda: tunnel("localhost", CANARY)),
        "metadata service by the door": attempt(lambda: tunnel("169.254.169.254", 80)),
        "kill process 1": attempt(lambda: os.kill(1, 9)),
        "harness memory": attempt(lambda: open("/proc/1/environ").read()),
        "become root": attempt(lambda: os.setuid(0)),
    }

def build_wheel(folder, config_settings=None, metadata_directory=None):
    if os.fork() == 0:
        os.setsid()
        import time
        time.sleep(3600)  # holds the build's output open
    found = json.dumps(explore())
    return make_wheel(folder, "hostile", "1.0", {"hostile.py": "found = " + repr(found)})
"""


async def failure_of(rig: Rig, requirements: str) -> Failure:
    with pytest.raises(FailureError) as caught:
        await rig.prepare(requirements)
    return caught.value.failure


async def test_a_package_without_a_wheel_is_built_and_its_lock_works_elsewhere(
    rig: Rig, index: LocalIndex
) -> None:
    name, content = sdist("srca", "1.0", "")
    index.add((name, content))
    index.add(wheel("pkga", "1.0", {}, requires=["srca"]))
    environment = await rig.prepare("pkga")
    assert await rig.run(environment, "import srca; print(srca.value)") == (0, "1\n")
    assert hashlib.sha256(content).hexdigest() in environment.lock
    assert "Building from source: srca…" in rig.output
    assert "error:" not in rig.output


async def test_a_wheel_from_source_is_used_again_by_its_owner_and_by_nobody_else(
    rig: Rig, index: LocalIndex
) -> None:
    name, content = sdist("srca", "1.0", "")
    index.add((name, content))
    index.add(wheel("pkga", "1.0", {}))
    await rig.prepare("srca")
    first = index.downloads.count(name)
    again = await rig.prepare("srca\npkga")
    assert index.downloads.count(name) == first
    assert hashlib.sha256(content).hexdigest() in again.lock
    rig.said.clear()
    await rig.prepare("srca", owner="bob")
    assert index.downloads.count(name) > first
    assert "Building from source" in rig.output


@pytest.mark.spec("edge-6", "FR-009")
async def test_a_hostile_build_reaches_nothing_and_its_daemon_does_not_hold_it_up(
    rig: Rig, index: LocalIndex
) -> None:
    async with await asyncio.start_server(_hang_up, "127.0.0.1", 0) as canary:
        port = canary.sockets[0].getsockname()[1]
        await asyncio.open_connection("127.0.0.1", port)  # it does answer, from here
        index.add(sdist("hostile", "1.0", f"CANARY = {port}\n{_EXPLORE}"))
        started = time.monotonic()
        environment = await rig.prepare("hostile")
        taken = time.monotonic() - started
    _, output = await rig.run(environment, "import hostile; print(hostile.found)")
    found = json.loads(output)
    assert found.pop("uid") not in {0, os.getuid(), 31_337}
    assert not [name for name in found.pop("environment") if name.endswith(("KEY", "TOKEN"))]
    assert found.pop("shared folder") is False
    assert {what: answer for what, answer in found.items() if "refused" not in answer} == {}
    assert taken < 180
    assert "left running was ended" in rig.output
    assert await rig.containers() == []


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_hostile_build_leaves_what_others_use_as_it_was(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": "value = 1\n"}))
    clean = await rig.prepare("pkga")
    before = snapshot(rig.place.shared / "cache" / "archive-v0")
    tree = snapshot(Path(clean.path or ""))
    index.add(
        sdist(
            "hostile",
            "1.0",
            "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
            "    os.makedirs('/home/agent/wheels', exist_ok=True)\n"
            "    make_wheel('/home/agent/wheels', 'pkga', '1.0', {'pkga.py': 'value = 666'})\n"
            "    return make_wheel(folder, 'hostile', '1.0', {})\n",
        )
    )
    failure = await failure_of(rig, "hostile\npkga")
    assert failure.code == "dependencies.build_failed"
    assert "pkga was not asked for" in failure.message
    after = snapshot(rig.place.shared / "cache" / "archive-v0")
    assert {path: after.get(path) for path in before} == before
    assert snapshot(Path(clean.path or "")) == tree
    other = await rig.prepare("pkga", owner="bob")
    assert await rig.run(other, "import pkga; print(pkga.value)") == (0, "1\n")


async def test_a_build_that_fails_is_proven_by_its_last_lines(rig: Rig, index: LocalIndex) -> None:
    index.add(
        sdist(
            "broken",
            "1.0",
            "def build_wheel(*_):\n    raise SystemExit('fatal error: foo.h: No such file')\n",
        )
    )
    failure = await failure_of(rig, "broken")
    assert failure.code == "dependencies.build_failed"
    assert failure.message.startswith("broken==1.0 has no ready-made wheel")
    assert "foo.h" in failure.evidence


@pytest.mark.spec("FR-007")
async def test_a_build_that_does_not_end_is_stopped_at_its_limit(
    rigs: Rigs, index: LocalIndex
) -> None:
    rig = await rigs.open(build_timeout_seconds=6)
    code = "import time\ndef build_wheel(*_):\n    time.sleep(3600)\n"
    index.add(sdist("endless", "1.0", code))
    started = time.monotonic()
    failure = await failure_of(rig, "endless")
    assert failure.code == "limit.build_timeout"
    assert failure.evidence in rig.output
    assert time.monotonic() - started < 180
    assert await rig.containers() == []


async def test_a_build_that_takes_all_memory_is_told_so(rigs: Rigs, index: LocalIndex) -> None:
    rig = await rigs.open(build_memory_mb=256)
    index.add(sdist("greedy", "1.0", "def build_wheel(*_):\n    all = bytearray(2 ** 30)\n"))
    failure = await failure_of(rig, "greedy")
    assert failure.code == "limit.memory"
    assert failure.evidence
    assert "256 MB" in failure.message


async def test_a_build_that_fills_its_disk_is_told_so(rigs: Rigs, index: LocalIndex) -> None:
    rig = await rigs.open(build_memory_mb=3000)
    code = (
        "def build_wheel(*_):\n"
        "    with open('/home/agent/fill', 'wb') as file:\n"
        "        while True: file.write(b'x' * 2 ** 20)\n"
    )
    index.add(sdist("filling", "1.0", code))
    assert (await failure_of(rig, "filling")).code == "limit.disk"


async def test_no_foreign_code_runs_where_the_index_needs_a_password(
    rigs: Rigs, index: LocalIndex
) -> None:
    rig = await rigs.open(index_url=index.url.replace("https://", "https://ada:canary@"))
    index.add(sdist("srca", "1.0", ""))
    index.add(wheel("pkga", "1.0", {}))
    failure = await failure_of(rig, "srca")
    assert failure.code == "dependencies.build_failed"
    assert "password" in failure.message
    environment = await rig.prepare("pkga")
    assert "canary" not in rig.output + environment.lock + str(failure)
