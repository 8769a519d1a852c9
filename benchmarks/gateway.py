"""What a gateway costs per model call: direct, through doors of ours, and through LiteLLM's proxy.

    python benchmarks/gateway.py [--calls 1000] [--without-litellm]

One run, one client with one connection each, one scripted OpenAI service in another process; the
ways alternate call by call, so that a busy machine slows all alike. The second door records
its calls into a database. LiteLLM is installed into an
environment of its own in the user's cache, never into Seatrial's. Exits with 1 when our gateway
misses its target.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import platformdirs

from seatrial.domain.ports import DoorSpec, ResolvedModel, Upstream
from seatrial.domain.requests import TestRequest
from seatrial.gateway.gateway import SocketGateway
from seatrial.store import open_store
from seatrial.testing.providers import ScriptedOpenAI
from seatrial.worker.recording import RecordingWriter, open_recording

TARGET_MS = 1.0
"""p50 over direct: the most that our gateway may cost."""

LITELLM = "litellm[proxy]==1.106.2"
MASTER_KEY = f"sk-{secrets.token_hex(16)}"
"""LiteLLM does not start without one; it lives as long as the run."""

WARM_UP = 50
START_SECONDS = 300
MESSAGES = [{"role": "user", "content": "hi"}]
WHOLE: Mapping[str, object] = {"model": "scripted", "messages": MESSAGES}
STREAM: Mapping[str, object] = {**WHOLE, "stream": True}


@dataclass
class Way:
    """One way to the service; `pid` is the process whose CPU time it costs."""

    name: str
    session: aiohttp.ClientSession
    url: str
    pid: int | None = None
    whole: list[float] = field(default_factory=list[float])
    first: list[float] = field(default_factory=list[float])
    cpu_ms: float | None = None


def serve(where: Connection) -> None:
    """Run the scripted service until the process is ended."""

    async def run() -> None:
        async with ScriptedOpenAI() as service:
            where.send(service.url)
            while True:
                await asyncio.sleep(5)
                service.requests.clear()

    asyncio.run(run())


def open_door(path: str, url: str, ready: Connection, database: str | None = None) -> None:
    """Run a gateway with one door, recorded with a database, until the process is ended."""

    async def ignore(_: object) -> None: ...

    async def run() -> None:
        upstream = Upstream("openai", f"{url}/v1", frozenset({"scripted"}), "sk-benchmark-key")
        recorder = await recording(database, upstream) if database else None
        spec = DoorSpec("benchmark", path, (upstream,), recorder=recorder)
        await SocketGateway().open(spec, ignore)
        ready.send(None)
        await asyncio.Event().wait()

    asyncio.run(run())


async def recording(database: str, upstream: Upstream) -> RecordingWriter:
    """The recording of a test that runs, as a worker opens it."""
    store = open_store(database)
    await store.open()
    await store.submit("b", TestRequest(files={}, query="", record=True), max_queued=1)
    [claim] = await store.claim("w", lease_seconds=9999, max_per_user=1, max_total=1, count=1)
    resolved = ResolvedModel(None, (upstream,), named_by_request=True)
    limit = 2**40
    return await open_recording(store, claim, resolved, limit_bytes=limit, adopted=False)


@contextlib.contextmanager
def litellm(folder: Path, url: str) -> Generator[tuple[str, int]]:
    """LiteLLM's proxy before the service: its URL and process, once it answers."""
    command, port = installed_litellm(), free_port()
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n- model_name: scripted\n  litellm_params:\n"
        f"    {{model: openai/scripted, api_base: '{url}/v1', api_key: sk-benchmark-key}}\n"
        f"general_settings: {{master_key: {MASTER_KEY}}}\n"
    )
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(
            [command, "--config", config, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **quiet},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(port, process, folder / "litellm.log")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def installed_litellm() -> Path:
    """The proxy's command, installed first where it is not yet."""
    version = LITELLM.rpartition("=")[2]
    home = Path(platformdirs.user_cache_dir("seatrial")) / "benchmarks" / f"litellm-{version}"
    command = home / "bin" / "litellm"
    if not command.exists():
        print(f"Installing {LITELLM} in {home}", flush=True)
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, home], check=True)
        python = home / "bin" / "python"
        subprocess.run([uv, "pip", "install", "-q", "--python", python, LITELLM], check=True)
    return command


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the port takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit(f"LiteLLM did not start: {log.read_text(errors='replace')[-2000:]}")


def cpu_seconds(pid: int) -> float:
    """CPU time of the process with those children that it still has (Linux)."""
    total = 0.0
    for task in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            values = task.read_text().rpartition(")")[2].split()
            if pid in {int(task.parent.name), int(values[1])}:
                total += (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
    return total


async def timed(way: Way, body: Mapping[str, object]) -> tuple[float, float]:
    """Milliseconds until the first byte of the body and until the last."""
    started = time.perf_counter()
    async with way.session.post(way.url, json=body) as answer:
        assert answer.status == 200, await answer.text()
        await answer.content.readany()
        first = time.perf_counter()
        await answer.read()
    return (first - started) * 1000, (time.perf_counter() - started) * 1000


async def compare(ways: list[Way], calls: int) -> None:
    """Call by call, one way after the other."""
    began: dict[str, float] = {}
    for number in range(calls + WARM_UP):
        if number == WARM_UP:
            began = {way.name: cpu_seconds(way.pid) for way in ways if way.pid}
        for way in ways:
            whole, first = (await timed(way, WHOLE))[1], (await timed(way, STREAM))[0]
            if number >= WARM_UP:
                way.whole.append(whole)
                way.first.append(first)
    for way in ways:
        if way.pid:
            way.cpu_ms = (cpu_seconds(way.pid) - began[way.name]) * 1000 / (2 * calls)


def report(ways: list[Way]) -> bool:
    """Print the figures; whether our gateway keeps its target."""
    heads = ("whole p50", "p99", "first byte p50", "p99", "CPU a call")
    print(f"{'ms':10}" + "".join(f"{head:>16}" for head in heads))
    for way in ways:
        values = [*quantiles(way.whole), *quantiles(way.first), way.cpu_ms]
        shown = ("-" if value is None else f"{value:.2f}" for value in values)
        print(f"{way.name:10}" + "".join(f"{text:>16}" for text in shown))
    direct, ours = ways[0], ways[1]
    kept = True
    for what in ("whole", "first"):
        over = quantiles(getattr(ours, what))[0] - quantiles(getattr(direct, what))[0]
        kept = kept and over < TARGET_MS
        verdict = "kept" if over < TARGET_MS else "MISSED"
        print(f"{what:6} p50 over direct {over:+.2f} ms, target < {TARGET_MS:.2f} ms: {verdict}")
    return kept


def quantiles(values: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    return statistics.median(values), statistics.quantiles(values, n=100)[98]


async def measure(stack: contextlib.ExitStack, calls: int, *, with_litellm: bool) -> bool:
    """Start everything, compare, report."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    service = context.Process(target=serve, args=(there,), daemon=True)
    service.start()
    stack.callback(service.terminate)
    url, path = str(here.recv()), str(folder / "gw.sock")
    recorded_path, database = f"{path}.recorded", f"sqlite+aiosqlite:///{folder / 'b.db'}"
    doors = [
        context.Process(target=open_door, args=arguments, daemon=True)
        for arguments in ((path, url, there), (recorded_path, url, there, database))
    ]
    for door in doors:
        door.start()
        stack.callback(door.terminate)
        here.recv()
    chat = "/v1/chat/completions"
    async with contextlib.AsyncExitStack() as open_:
        direct, plain, recorded, proxied = [
            await open_.enter_async_context(session)
            for session in (
                aiohttp.ClientSession(),
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)),
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(recorded_path)),
                aiohttp.ClientSession(headers={"Authorization": f"Bearer {MASTER_KEY}"}),
            )
        ]
        ways = [
            Way("direct", direct, url + chat),
            Way("gateway", plain, f"http://gw/openai{chat}", doors[0].pid),
            Way("recording", recorded, f"http://gw/openai{chat}", doors[1].pid),
        ]
        if with_litellm:
            proxy, pid = stack.enter_context(litellm(folder, url))
            ways.append(Way("LiteLLM", proxied, proxy + chat, pid))
        await compare(ways, calls)
    return report(ways)


def main() -> None:
    """Read the options; the exit code tells whether the target is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1000, help="measured calls of each kind")
    parser.add_argument("--without-litellm", action="store_true", help="compare with direct only")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        kept = asyncio.run(measure(stack, given.calls, with_litellm=not given.without_litellm))
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
