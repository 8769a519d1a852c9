"""Says how a container engine gets onto this machine, and installs one where that is simple."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seatrial.domain.errors import SetupFailed
from seatrial.settings.children import UMASK, child_environment

Kind = Literal["docker", "podman"]

_PACKAGES: dict[Kind, tuple[str, ...]] = {
    "docker": ("docker.io", "mmdebstrap"),
    "podman": ("podman", "runc", "uidmap", "slirp4netns", "mmdebstrap"),
}
_SCRIPT = """set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
apt-get update -q
apt-get install -q -y --no-install-recommends "$@"
"""
"""policy-rc.d is Debian's own way of saying that a package may not start its service."""


@dataclass(frozen=True)
class InstallPlan:
    """What `install` would do, or what the reader has to do."""

    possible: bool
    text: str
    packages: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


def install_plan(kind: Kind = "docker") -> InstallPlan:
    """What it takes to have that engine here. Changes nothing."""
    packages = _PACKAGES[kind]
    prefix = _root_prefix()
    names = " ".join(packages)
    if platform.system() != "Linux":
        return InstallPlan(
            False, "Install Docker Desktop (https://docs.docker.com/get-docker/) and start it."
        )
    if shutil.which("apt-get") is None:
        return InstallPlan(
            False,
            f"Install Docker or Podman with this system's package manager and start it, for "
            f"example `sudo dnf install podman && systemctl --user enable --now podman.socket`. "
            f"{_after()}",
        )
    if prefix is None:
        return InstallPlan(
            False,
            f"Run `sudo apt-get install --no-install-recommends {names}` and let this user use "
            f"its socket (`sudo usermod -aG docker $USER`, then log in again). {_after()}",
            packages,
        )
    return InstallPlan(
        True,
        f"Seatrial can install the packages {names} with apt and run {kind} in its own data "
        "folder; no system service is started.",
        packages,
        (*prefix, "sh", "-c", _SCRIPT, "sh", *packages),
    )


def _after() -> str:
    return "Seatrial finds it by itself, or through DOCKER_HOST."


def _root_prefix() -> tuple[str, ...] | None:
    """How a command is run as root without asking anybody; None when it cannot be."""
    if os.geteuid() == 0:
        return ()
    asks_nobody = Path("/etc/sudoers.d").exists() and shutil.which("sudo") is not None
    return ("sudo", "-n") if asks_nobody else None


def is_installed(kind: Kind) -> bool:
    """Whether the daemon is here. Docker's command alone, a client, is not enough."""
    return program(kind) is not None


def program(kind: Kind) -> str | None:
    """Path of the daemon's program, also when /usr/sbin is not in this user's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return shutil.which("dockerd" if kind == "docker" else "podman", path=path)


async def install(kind: Kind, progress: Callable[[str], None]) -> None:
    """Install the engine's packages; nothing happens when it is there already.

    No service is started. SetupFailed, with what to do, when it cannot be done here.
    """
    if is_installed(kind):
        return
    plan = install_plan(kind)
    if not plan.possible:
        raise SetupFailed(f"{kind.title()} cannot be installed from here.", hint=plan.text)
    progress(f"Installing {', '.join(plan.packages)}")
    process = await asyncio.create_subprocess_exec(
        *plan.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=child_environment(),
        umask=UMASK,
    )
    assert process.stdout is not None
    tail = ""
    async for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip()
        tail = f"{tail[-2000:]}\n{line}"
        if line.startswith(("Setting up", "Get:", "E:")):
            progress(line)
    if await process.wait() != 0 or not is_installed(kind):
        raise SetupFailed(
            f"Installing {kind} failed: {tail.strip()[-600:]}",
            hint=f"Run `apt-get install {' '.join(plan.packages)}` as root and try again.",
        )
