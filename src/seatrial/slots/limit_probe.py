"""A probe container that exceeds each of its limits and makes a forbidden system call."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from seatrial.domain.errors import PlatformError
from seatrial.domain.ports import (
    ContainerExit,
    ContainerLimits,
    ContainerSpec,
    Engine,
    Tmpfs,
)

_MEMORY_MB = 64
PROBE = """
import ctypes, errno, os, signal, time

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
libc = ctypes.CDLL(None, use_errno=True)
if libc.vmsplice(-1, None, 0, 0) == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS):
    held("system calls")
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
"""Exceeds every limit; memory last, which ends it.

`vmsplice` is allowed by the engines' own filters and refused by ours, so it shows that ours is in
place: EPERM, or ENOSYS from gVisor. Unfiltered, it fails with EBADF.
"""

HINT = (
    "Use cgroup v2 or an engine that runs as root, with seccomp. To run tests without it, set "
    "SEATRIAL_ALLOW_UNENFORCED_LIMITS=1: their receipts list it."
)
"""What to do about limits that are not enforced."""

_AMOUNTS = frozenset({"memory", "processes", "CPU", "disk"})
_LIMITS = ("read-only image", "disk", "system calls", "CPU", "processes")
_DEADLINE_SECONDS = 120.0


async def unenforced_limits(engine: Engine, image: str, installation: str) -> tuple[str, ...]:
    """The limits that the engine does not enforce, by its own account or by the probe's.

    Empty when all are enforced. PlatformError when the probe did not run to its end.
    """
    said = (await engine.describe()).unenforced
    probed = await _probed(engine, image, installation)
    return tuple(name for name in (*_LIMITS, "memory") if name in {*said, *probed})


def refused_limits(unenforced: tuple[str, ...], *, own_kernel: bool) -> tuple[str, ...]:
    """Those of the unenforced limits without which no test may run.

    Not CPU, which systemd does not delegate to rootless engines unless configured. Where
    containers have a kernel of their own, processes neither: they cost the host memory only.
    """
    reported = {"CPU", "processes"} if own_kernel else {"CPU"}
    return tuple(name for name in unenforced if name not in reported)


def not_enforced(names: Sequence[str]) -> str:
    """One sentence that names what the engine does not enforce."""
    amounts = [name for name in names if name in _AMOUNTS]
    parts = [f"no limit of {', '.join(amounts)}"] if amounts else []
    parts += ["no filter of system calls"] if "system calls" in names else []
    parts += ["no read-only image"] if "read-only image" in names else []
    return f"The container engine enforces {' and '.join(parts)}."


async def _probed(engine: Engine, image: str, installation: str) -> tuple[str, ...]:
    container = await engine.launch(_spec(image, installation))
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            ended = await engine.wait(container)
    except TimeoutError as error:
        raise PlatformError(
            f"The probe of the limits did not end within {_DEADLINE_SECONDS:.0f} s.",
            hint="Look at the log of the container engine.",
        ) from error
    finally:
        await engine.remove(container)
    return _judged(ended)


def _judged(ended: ContainerExit) -> tuple[str, ...]:
    said = ended.evidence.splitlines()
    if "probe began" not in said:
        end = ended.evidence[-300:]
        raise PlatformError(
            f"The probe of the limits did not run (exit code {ended.code}): {end}",
            hint="Look at the log of the container engine.",
        )
    missing = [name for name in _LIMITS if f"held {name}" not in said]
    if ended.code == 0 or "memory was there" in said:
        missing.append("memory")
    return tuple(missing)


def _spec(image: str, installation: str) -> ContainerSpec:
    return ContainerSpec(
        name=f"seatrial-limits-{secrets.token_hex(4)}",
        image=image,
        argv=("python3", "-I", "-S", "-c", PROBE),
        limits=ContainerLimits(memory_mb=_MEMORY_MB, cpus=0.5, processes=16),
        tmpfs=(Tmpfs("/tmp", 8),),  # noqa: S108 the container's own
        labels={"seatrial": "self-test", "seatrial.installation": installation},
    )
