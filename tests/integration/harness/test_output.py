"""Much output, odd output, and files."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

from seatrial.harness.protocol import Log

from .conftest import Start
from .container import Container, assignment

Run = Callable[..., Awaitable[Container]]


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


async def test_an_endless_line_of_five_gigabytes_costs_no_memory(start: Start) -> None:
    code = "import os\nchunk = b'A' * 65536\nfor i in range(80_000): os.write(1, chunk)"
    container = await start(assignment(code, deadline_seconds=60.0, log_bytes=4_000_000))
    worker = container.worker
    await worker.until(worker.log)
    supervisor = container.supervisor()
    peak = 0

    def ended() -> bool:
        nonlocal peak
        peak = max(peak, _resident(supervisor))
        return bool(worker.exit_or_none)

    await worker.until(ended, 90)
    assert await container.ended(60) == 0
    assert worker.exit.log_bytes == 80_000 * 65536
    assert worker.exit.log_dropped_bytes == 80_000 * 65536 - 4_000_000
    assert len(worker.log()) == 4_000_000
    assert 0 < peak < 64 * 1024 * 1024


async def test_three_hundred_thousand_lines_get_through_whole(start: Start) -> None:
    code = "for i in range(300_000): print('line', i)"
    environment = {"PYTHONUNBUFFERED": ""}
    container = await start(assignment(code, log_bytes=40_000_000, env=environment))
    assert await container.ended() == 0
    assert container.worker.log("stdout") == "".join(f"line {i}\n" for i in range(300_000))


async def test_head_and_tail_are_kept_and_the_rest_is_counted(run: Run) -> None:
    code = "for i in range(10_000): print(f'{i:09d}')"
    worker = (await run(code, log_bytes=4000)).worker
    lines = worker.log().splitlines()
    assert lines[:300] == [f"{i:09d}" for i in range(300)]
    assert lines[300:] == [f"{i:09d}" for i in range(9900, 10_000)]
    assert worker.notices() == ["log_truncated"]
    assert (worker.exit.log_bytes, worker.exit.log_dropped_bytes) == (100_000, 96_000)


async def test_bytes_that_are_no_text_do_no_harm(run: Run) -> None:
    code = (
        "import os, time\nos.write(1, b'\\xff\\x00\\x1b[31m')\n"
        "for b in '😀'.encode(): os.write(1, bytes([b])); time.sleep(0.05)\n"
        "os.write(2, b'\\xf0\\x9f')"
    )
    worker = (await run(code)).worker
    assert worker.log("stdout") == "\ufffd\x00\x1b[31m😀"
    assert worker.log("stderr") == "\ufffd"


async def test_alternating_streams_do_not_make_a_frame_of_every_byte(run: Run) -> None:
    code = "import os\nfor i in range(20_000): os.write(1 + i % 2, b'x')"
    worker = (await run(code)).worker
    assert len(worker.log("stdout")) == len(worker.log("stderr")) == 10_000
    assert len(worker.all(Log)) < 1000


async def test_files_are_collected_and_links_are_not(run: Run) -> None:
    code = """
import os
os.umask(0o077)
os.makedirs("/tmp/out/deep")
open("/tmp/out/big.bin", "wb").write(bytes(range(256)) * 5000)
open("/tmp/out/empty.txt", "w")
open("/tmp/out/deep/\\x1bname.txt", "w").write("deep")
os.symlink("/etc/passwd", "/tmp/out/link.txt")
os.symlink("/etc", "/tmp/out/folder")
os.symlink("/seatrial/door", "/tmp/out/door")
os.mkfifo("/tmp/out/fifo")
print("done")
"""
    patterns = ["/tmp/out/*", "/tmp/out/*/*", "relative/*"]
    worker = (await run(code, collect=patterns)).worker
    contents: dict[str, bytes] = {}
    for piece in worker.files():
        assert piece.offset == len(contents.get(piece.name, b""))
        data = base64.b64decode(piece.data_b64)
        contents[piece.name] = contents.get(piece.name, b"") + data
    assert contents == {
        "/tmp/out/big.bin": bytes(range(256)) * 5000,
        "/tmp/out/empty.txt": b"",
        "/tmp/out/deep/\x1bname.txt": b"deep",
    }
    assert "file_skipped" in worker.notices()
    assert worker.exit.code == 0


async def test_a_command_runs_with_its_own_environment_and_empty_input(run: Run) -> None:
    command = ["sh", "-c", 'cat; echo "$GREETING $(id -u) $(pwd)"; echo x > /tmp/made; exit 4']
    worker = (
        await run(
            "",
            mode="command",
            argv=command,
            files={"requirements.in": "a==1"},
            env={"GREETING": "hi"},
            workdir="/tmp",
            collect=["/tmp/made", "/agent/requirements.in"],
        )
    ).worker
    assert worker.log("stdout") == "hi 10001 /tmp\n"
    assert worker.exit.code == 4
    assert [piece.name for piece in worker.files()] == ["/agent/requirements.in", "/tmp/made"]


async def test_a_command_may_run_as_root_without_reaching_process_1(run: Run) -> None:
    script = (
        "id -u; for f in environ mem fd/3 fd/4 fd/5;"
        " do head -c1 /proc/1/$f && echo READ; done; kill -9 1; true"
    )
    command = ["sh", "-c", script]
    worker = (await run("", mode="command", argv=command, uid=0)).worker
    assert worker.log("stdout") == "0\n"
    assert worker.exit.code == 0
