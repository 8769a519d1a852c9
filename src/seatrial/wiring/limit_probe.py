"""Tries in a container whether its limits hold: what an engine says of itself proves nothing."""

from __future__ import annotations

import secrets

from seatrial.domain.errors import SeatrialError
from seatrial.domain.ports import (
    ContainerExit,
    ContainerLimits,
    ContainerSpec,
    Engine,
    Tmpfs,
)

_MEMORY_MB = 64
_PROBE = """
import os, signal, time

def held(name):
    os.write(1, f"held {name}\\n".encode())

os.write(1, b"probe began\\n")
try:
    open("/of-the-image", "w")
except OSError:
    held("read-only image")
try:
    with open("/tmp/large", "wb") as file:
        for _ in range(32):
            file.write(bytes(2**20))
            file.flush()
except OSError:
    held("disk")
os.unlink("/tmp/large")
began, used = time.monotonic(), time.process_time()
while time.monotonic() - began < 0.8:
    pass
if time.process_time() - used < 0.8 * (time.monotonic() - began):
    held("CPU")
children = []
try:
    while len(children) < 64:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except OSError:
    held("processes")
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
taken = b"x" * (256 * 2**20)
os.write(1, b"memory was there\\n")
"""
"""Asks for more of everything than it may have; at last for memory, which ends it."""

_LIMITS = ("read-only image", "disk", "CPU", "processes")


async def unenforced_limits(engine: Engine, python: str, installation: str) -> tuple[str, ...]:
    """The limits that a container was not held to; none when all hold.

    Platform errors of the engine; SeatrialError when the probe itself could not run.
    """
    container = await engine.launch(await _spec(engine, python, installation))
    try:
        ended = await engine.wait(container)
    finally:
        await engine.remove(container)
    return _judged(ended)


def _judged(ended: ContainerExit) -> tuple[str, ...]:
    said = ended.evidence.splitlines()
    if "probe began" not in said:
        end = ended.evidence[-300:]
        raise SeatrialError(
            f"The probe of the limits did not run (exit code {ended.code}): {end}",
            hint="Look at the log of the container engine.",
        )
    missing = [name for name in _LIMITS if f"held {name}" not in said]
    if ended.code == 0 or "memory was there" in said:
        missing.append("memory")
    return tuple(missing)


async def _spec(engine: Engine, python: str, installation: str) -> ContainerSpec:
    return ContainerSpec(
        name=f"seatrial-doctor-{secrets.token_hex(4)}",
        image=await engine.image(python),
        argv=("python3", "-I", "-S", "-c", _PROBE),
        limits=ContainerLimits(memory_mb=_MEMORY_MB, cpus=0.5, processes=16),
        tmpfs=(Tmpfs("/tmp", 8),),  # noqa: S108 the container's own
        labels={"seatrial": "doctor", "seatrial.installation": installation},
    )
