"""What the gateway costs per model call: direct and through a door, alternating in one run.

    python benchmarks/gateway.py [calls]

Both ways use the same client, one connection and the same scripted service in another process;
the calls alternate, so that a busy machine slows both. Prints milliseconds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp

from seatrial.domain.ports import DoorSpec, Upstream
from seatrial.gateway.gateway import SocketGateway
from seatrial.testing.providers import ScriptedOllama

WARM_UP = 50
WHOLE = {"model": "scripted", "messages": [{"role": "user", "content": "hi"}], "stream": False}
STREAM = {**WHOLE, "stream": True}


def serve(where: Connection) -> None:
    """Run the scripted service until the process is ended."""

    async def run() -> None:
        async with ScriptedOllama() as service:
            where.send(service.url)
            while True:
                await asyncio.sleep(3600)
                service.requests.clear()

    asyncio.run(run())


def open_door(folder: str, url: str, ready: Connection) -> None:
    """Run a gateway with one door until the process is ended."""

    async def ignore(_: object) -> None: ...

    async def run() -> None:
        upstream = Upstream("ollama", url, frozenset({"scripted"}))
        spec = DoorSpec("benchmark", str(Path(folder) / "gw.sock"), (upstream,))
        await SocketGateway().open(spec, ignore)
        ready.send(spec.socket_path)
        await asyncio.Event().wait()

    asyncio.run(run())


async def timed(session: aiohttp.ClientSession, url: str, body: object) -> tuple[float, float]:
    """Milliseconds until the first byte and until the last."""
    started = time.perf_counter()
    async with session.post(url, json=body) as answer:
        assert answer.status == 200, await answer.text()
        await answer.content.readany()
        first = time.perf_counter()
        await answer.read()
    return (first - started) * 1000, (time.perf_counter() - started) * 1000


def quantiles(values: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    return statistics.median(values), statistics.quantiles(values, n=100)[98]


async def compare(direct_url: str, socket_path: str, calls: int) -> None:
    """Alternate both ways and print their figures."""
    direct = aiohttp.ClientSession()
    door = aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket_path))
    async with direct, door:
        for name, body, part in (("whole", WHOLE, 1), ("stream, first byte", STREAM, 0)):
            taken: dict[str, list[float]] = {"direct": [], "gateway": []}
            for number in range(calls + WARM_UP):
                here = await timed(direct, f"{direct_url}/api/chat", body)
                there = await timed(door, "http://gw/ollama/api/chat", body)
                if number >= WARM_UP:
                    taken["direct"].append(here[part])
                    taken["gateway"].append(there[part])
            report(name, quantiles(taken["direct"]), quantiles(taken["gateway"]))


def report(name: str, direct: tuple[float, float], gateway: tuple[float, float]) -> None:
    """One line."""
    print(
        f"{name:20} direct p50 {direct[0]:.2f} p99 {direct[1]:.2f}   "
        f"gateway p50 {gateway[0]:.2f} p99 {gateway[1]:.2f}   "
        f"difference p50 {gateway[0] - direct[0]:+.2f} p99 {gateway[1] - direct[1]:+.2f} ms"
    )


def main() -> None:
    """Start both processes, compare, end them."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        service = context.Process(target=serve, args=(there,), daemon=True)
        service.start()
        url = str(here.recv())
        gateway = context.Process(target=open_door, args=(folder, url, there), daemon=True)
        gateway.start()
        path = str(here.recv())
        asyncio.run(compare(url, path, calls))
        gateway.terminate()
        service.terminate()


if __name__ == "__main__":
    main()
