"""Agents that fight process 1: they lose, and the frames stay honest."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import pytest

from seatrial.harness.protocol import ResultFrame

from .conftest import Start
from .container import Container, assignment

Run = Callable[..., Awaitable[Container]]


async def test_process_1_cannot_be_signalled(run: Run) -> None:
    code = """
import os, signal, time
for name in ("TERM", "INT", "HUP", "KILL", "STOP", "SEGV", "USR1", "CHLD"):
    s = signal.Signals["SIG" + name]
    try: os.kill(1, s); print("sent", s)
    except OSError as e: print(e)
time.sleep(0.2); print("still here", flush=True)
os.kill(-1, signal.SIGKILL)
print("done")
"""
    worker = (await run(code)).worker
    assert "sent" not in worker.log()
    assert worker.log().endswith("still here\ndone\n")
    assert (worker.exit.reason, worker.exit.code) == ("exited", 0)


async def test_forged_frames_are_output_and_never_believed(run: Run) -> None:
    code = """
import os, json, glob, socket
fake = json.dumps({"kind": "result", "n": 1, "data": {"response": "FORGED"}}) + "\\n"
print(fake, end="", flush=True)
for fd in range(3, 256):
    try: os.write(fd, fake.encode())
    except OSError: pass
for p in glob.glob("/proc/[0-9]*/fd/*") + ["/proc/1/mem", "/proc/1/environ", "/proc/1/maps"]:
    if p.startswith(f"/proc/{os.getpid()}/"): continue
    try:
        os.open(p, os.O_RDWR | os.O_NONBLOCK); print("OPENED", p)
    except OSError: pass
for p in ("/proc/1/environ", "/proc/1/maps"):
    try: print("READ", open(p, "rb").read(10))
    except OSError: pass
def run(q): return "the truth"
"""
    worker = (await run(code)).worker
    assert worker.all(ResultFrame) == []
    assert worker.notices() == ["report_invalid"]
    assert "FORGED" in worker.log("stdout")
    assert "OPENED" not in worker.log()
    assert "READ" not in worker.log()


async def test_the_claim_is_worth_nothing_to_the_agent(run: Run) -> None:
    code = """
import sys, socket, struct, json
def run(q):
    claim = open("/seatrial/door/claim").read()
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect("/seatrial/door/channel.sock")
    except PermissionError:
        return "no way in"
    data = {"version": 1, "claim": claim, "session": None, "assigned": False}
    body = json.dumps({"kind": "hello", "data": data}).encode()
    s.sendall(struct.pack(">I", len(body)) + body)
    return s.recv(4096)[4:].decode()
"""
    worker = (await run(code)).worker
    assert worker.result.response == "no way in" or "refused" in worker.result.response
    assert len(worker.hellos) == 1


async def test_orphans_are_reaped_while_the_agent_runs(run: Run) -> None:
    code = """
import os, time
def is_zombie(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False  # reaped between the listing and the look
def zombies():
    return sum(is_zombie(name) for name in os.listdir("/proc") if name.isdigit())
def run(q):
    for i in range(200):
        if os.fork() == 0:
            if os.fork() == 0: os._exit(0)
            os._exit(0)
        os.wait()
    end = time.monotonic() + 30
    while zombies() and time.monotonic() < end: time.sleep(0.01)
    return str(zombies())
"""
    assert (await run(code)).worker.result.response == "0"


async def test_processes_that_the_agent_leaves_are_counted_and_ended(run: Run) -> None:
    code = """
import os, time, signal
def run(q):
    for i in range(3):
        if os.fork() == 0:
            os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60); os._exit(0)
    return "left"
"""
    container = await run(code)
    assert container.worker.exit.left_processes == 3
    assert container.worker.exit.wall_seconds < 50
    assert container.worker.result.response == "left"


async def test_a_forked_child_of_the_agent_reports_nothing(run: Run) -> None:
    code = """
import os
def run(q):
    if os.fork() == 0:
        return "child"
    os.wait()
    return "parent"
"""
    assert (await run(code)).worker.result.response == "parent"


async def test_a_result_that_is_no_json_is_not_believed(run: Run) -> None:
    code = """
import os, json, struct, sys
def run(q):
    data = {"response": "x", "value_json": "[NaN]", "usage": {}, "too_large_bytes": None}
    body = json.dumps({"kind": "result", "data": data}).encode()
    for fd in range(3, 256):
        try: os.write(fd, struct.pack(">I", len(body)) + body)
        except OSError: pass
    return "late"
"""
    worker = (await run(code)).worker
    assert worker.all(ResultFrame) == []
    assert "report_invalid" in worker.notices()


@pytest.mark.spec("FR-007")
async def test_the_deadline_ends_an_agent_that_ignores_signals(run: Run) -> None:
    code = """
import signal, time
for s in range(1, 32):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
print("ready", flush=True)
while True:
    try: time.sleep(60)
    except BaseException: pass
"""
    worker = (await run(code, deadline_seconds=4.0, grace_seconds=0.3)).worker
    assert (worker.exit.reason, worker.exit.signal) == ("deadline", signal.SIGKILL)
    assert 4.2 < worker.exit.wall_seconds < 40
    assert worker.log() == "ready\n"


async def test_the_deadline_lets_an_agent_end_in_order(run: Run) -> None:
    code = """
import signal, sys, time, os
def bye(*_):
    print("bye", os.environ["SEATRIAL_DEADLINE"] < str(time.time() + 5), flush=True)
    os._exit(5)
signal.signal(signal.SIGTERM, bye)
time.sleep(60)
"""
    worker = (await run(code, deadline_seconds=4.0, grace_seconds=20.0)).worker
    assert (worker.exit.reason, worker.exit.code) == ("deadline", 5)
    assert worker.log() == "bye True\n"


async def test_an_await_without_end_meets_the_deadline(run: Run) -> None:
    code = "import asyncio\nasync def run(q): await asyncio.Event().wait()"
    worker = (await run(code, deadline_seconds=4.0)).worker
    assert worker.exit.reason == "deadline"
    assert worker.entry.entry_point == "agent.py:run"


@pytest.mark.spec("FR-011")
async def test_a_cancel_ends_the_agent(start: Start) -> None:
    code = "import time\nprint('up', flush=True)\ntime.sleep(60)"
    container = await start(assignment(code))
    await container.worker.until(container.worker.log)
    await container.worker.cancel(0.2)
    assert await container.ended() == 0
    assert container.worker.exit.reason == "cancelled"
    assert container.worker.exit.wall_seconds < 50


async def test_a_cancel_before_the_assignment_ends_the_container(start: Start) -> None:
    container = await start(None)
    await container.worker.until(lambda: container.worker.frames)
    await container.worker.cancel(0.2)
    assert await container.ended() == 0
    assert container.worker.exit.reason == "cancelled"
