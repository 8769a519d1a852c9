"""What the second door costs: the mounted socket and the relay, from inside, in one run.

    python benchmarks/doors.py [docker|podman socket url] [rounds]

Two containers of one engine talk to the same echo server of this machine: one through a mounted
socket, one through a relay. They take turns, so that a busy machine slows both. Prints
microseconds per 1 KB answer on a kept connection and per new connection, MB/s, and the time
that a slot's sockets take to be ready.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from seatrial.domain.ports import ContainerLimits, ContainerSpec, Mount, Pipe
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine
from seatrial.engines.sockets import find_socket
from seatrial.settings import Settings
from seatrial.slots.doorways import (
    DOOR_PATH,
    HARNESS_PATH,
    Doorway,
    RelayDoorway,
    RelaySpec,
    SocketDoorway,
)
from seatrial.slots.folders import SlotFolders, harness_folder

ROUNDS = 20
CALLS = 100
CLIENT = f"""
import json, socket, sys, time
def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect("{DOOR_PATH}/gateway.sock")
    return client
def ask(client, data, size):
    client.sendall(data)
    while size:
        size -= len(client.recv(min(size, 1 << 20)))
def timed(work, times):
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1e6)
    return taken
def fresh():
    with connect() as client:
        ask(client, b"x" * 1024, 1024)
def much():
    client = connect()
    client.sendall(b"!")
    left = 16 << 20
    while left:
        left -= len(client.recv(1 << 20))
    client.close()
kept = connect()
for _ in sys.stdin:
    found = {{
        "kept": timed(lambda: ask(kept, b"x" * 1024, 1024), {CALLS}),
        "new": timed(fresh, {CALLS} // 4),
        "16 MB": timed(much, 1),
    }}
    print(json.dumps(found), flush=True)
"""


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Echo; 16 MB for a '!'."""
    while data := await reader.read(65536):
        writer.write(bytes(16 << 20) if data == b"!" else data)
        await writer.drain()
    writer.close()


async def measure(engine: DockerEngine, rounds: int) -> None:
    """Both containers, by turns."""
    image = await engine.image("3.11")
    installation = f"benchmark-{secrets.token_hex(4)}"
    labels = {"seatrial": "benchmark", "seatrial.installation": installation}
    async with AsyncExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="st-")))
        state.chmod(0o711)
        pipes: dict[str, Pipe] = {}
        for kind in ("socket", "relay"):
            folders = SlotFolders(state / kind)
            claim = folders.create()
            server = await asyncio.start_unix_server(answer, folders.gateway_socket)
            folders.gateway_socket.chmod(0o666)
            stack.callback(server.close)
            harness = Mount(str(harness_folder(state)), HARNESS_PATH)
            relay = RelaySpec(f"{installation}-{kind}", image, harness, labels, 10.0)
            doorway: Doorway = (
                SocketDoorway(folders) if kind == "socket" else RelayDoorway(engine, relay, folders)
            )
            stack.push_async_callback(doorway.remove)
            started = time.perf_counter()
            await doorway.open(claim)
            print(f"{kind:7} ready after {(time.perf_counter() - started) * 1000:.0f} ms")
            container, pipes[kind] = await engine.launch_piped(
                client_of(image, f"{installation}-{kind}", labels, doorway)
            )
            stack.push_async_callback(engine.remove, container)
        report(await by_turns(pipes, rounds))


def client_of(image: str, name: str, labels: Mapping[str, str], doorway: Doorway) -> ContainerSpec:
    """A container that measures when it is told to."""
    return ContainerSpec(
        name=name,
        image=image,
        argv=("python3", "-I", "-S", "-u", "-c", CLIENT),
        limits=ContainerLimits(memory_mb=128, cpus=1.0, processes=16),
        labels=labels,
        mounts=doorway.mounts,
        volumes=doorway.volumes,
    )


async def by_turns(pipes: Mapping[str, Pipe], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Every measurement by kind of door and name; the first round warms up."""
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in pipes}
    for number in range(rounds + 1):
        for kind, pipe in pipes.items():
            await pipe.write(b"go\n")
            line = bytearray()
            while not line.endswith(b"\n"):
                line += await pipe.read()
            for name, values in json.loads(line).items():
                if number:
                    found[kind].setdefault(name, []).extend(values)
    return found


def report(found: Mapping[str, Mapping[str, list[float]]]) -> None:
    """One line per measurement."""
    for name, direct in found["socket"].items():
        relayed = found["relay"][name]
        here, there = statistics.median(direct), statistics.median(relayed)
        p99 = [statistics.quantiles(values, n=100)[98] for values in (direct, relayed)]
        print(
            f"{name:6} socket p50 {here:.0f} p99 {p99[0]:.0f} us   "
            f"relay p50 {there:.0f} p99 {p99[1]:.0f} us   ratio p50 {there / here:.1f}"
        )


async def run(url: str, rounds: int) -> None:
    """One engine."""
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        config = DockerConfig(url, Path(folder) / "engine", Settings().data_dir / "images")
        engine = DockerEngine(config)
        info = await engine.describe()
        print(f"{info.name} {info.version}")
        await measure(engine, rounds)
        await engine.aclose()


def main() -> None:
    """Measure the engine that is named, else the one that Seatrial would use."""
    url = sys.argv[1] if len(sys.argv) > 1 else find_socket(Settings())
    if url is None:
        sys.exit("There is no container engine.")
    asyncio.run(run(url, int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS))


if __name__ == "__main__":
    main()
