"""A container engine of our own: run in a folder, touching nothing else on the machine.

It has its own socket, storage and log, makes no network (containers have none, or a door) and
belongs to whoever owns the folder. The user's own Docker or Podman never sees it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

from seatrial.domain.data_folder import make_short_folder, short_folder
from seatrial.domain.errors import SetupFailed
from seatrial.settings import Settings
from seatrial.settings.children import UMASK, child_environment

from .install import InstallPlan, Kind, install, install_plan, is_installed, program
from .processes import children_of, command_of, mounts_below, processes_with
from .sockets import answers, find_socket, socket_of

__all__ = [
    "InstallPlan",
    "Kind",
    "PrivateEngine",
    "ensure_engine",
    "find_socket",
    "install",
    "install_plan",
    "is_installed",
    "missing_kind",
    "private_engine",
]

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.05
_LONGEST_RUNROOT = 50
"""Bytes of the folder for what lasts until the engine stops: Podman refuses a longer path, and
containerd makes sockets deep below it (a socket's path may have 107 bytes)."""

_CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=4096:4096", "nproc=2000:2000"]
[engine]
events_logger = "file"
"""
"""Podman's own defaults ask for limits that need CAP_SYS_RESOURCE, and for a journal."""
_CGROUPS_V1 = """runtime = "runc"
cgroup_manager = "cgroupfs"
"""
"""crun refuses control groups version 1."""
_RUNSC_FLAGS = ("--network=none", "--host-uds=open", "--platform=ptrace")
"""`host-uds=open`: a container may connect to the sockets that are mounted into it, ours alone.
The platform works everywhere, virtual machines included."""


class PrivateEngine:
    """Docker or Podman in a folder. Sockets are elsewhere where the folder's path is long."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        """Starts nothing."""
        self.kind: Kind = kind
        self.folder = folder.absolute()
        self.socket = socket_of(self.folder)
        self._runroot = _runroot(self.folder)
        self._pid_file = self.folder / "engine.pid"
        self._containerd_pid = self._runroot / "containerd" / "containerd.pid"
        self._log = self.folder / "engine.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What to give as docker_host."""
        return f"unix://{self.socket}"

    async def start(self) -> str:
        """Run the daemon unless it runs already, wait until it answers; its url. SetupFailed.

        Safe to call from several processes at one time.
        """
        self._check()
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder / "start.lock") as mine:
            while not mine():
                await asyncio.sleep(_LOOK_SECONDS)
            if not (self._pid() and answers(self.socket)):
                await self._end(self._pid())
                self._spawn()
            await self._until_it_answers()
        return self.url

    async def stop(self) -> None:
        """End it with all of its containers, and unmount what it left. Idempotent."""
        if self.kind == "podman" and self.folder.exists():
            await self._run(*self._podman(), "rm", "--all", "--force", "--time", "0")
        await self._stop_daemon()
        for target in (*mounts_below(self.folder), *mounts_below(self._runroot)):
            await self._run("umount", "--lazy", target)
        if not self._runroot.is_relative_to(self.folder):
            shutil.rmtree(self._runroot, ignore_errors=True)

    def _check(self) -> None:
        plan = install_plan(self.kind)
        if not is_installed(self.kind):
            raise SetupFailed(f"{self.kind.title()} is not installed.", hint=plan.text)
        if self.kind == "docker" and os.geteuid() != 0:
            raise SetupFailed(
                "A private Docker needs root.", hint="Use Podman, or start Docker as a service."
            )

    def _spawn(self) -> None:
        """Start the daemon detached: it outlives this process and is found again by its files."""
        for folder in (self.socket.parent, self._runroot):
            make_short_folder(folder)
        self.socket.unlink(missing_ok=True)
        self._pid_file.unlink(missing_ok=True)
        if self._pid(self._containerd_pid) is None:
            # dockerd takes an ended one that nobody has reaped for one that runs
            self._containerd_pid.unlink(missing_ok=True)
        command = self._dockerd() if self.kind == "docker" else self._podman_service()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,  # conmon leaves files where it is started
                env=self._environment(),
                umask=UMASK,
            )
        if self.kind == "podman":
            self._pid_file.write_text(str(self._process.pid))

    def _dockerd(self) -> list[str]:
        return [
            program("docker") or "dockerd",
            f"--data-root={self.folder / 'data'}",
            f"--exec-root={self._runroot}",
            f"--host={self.url}",
            f"--pidfile={self._pid_file}",
            "--shutdown-timeout=1",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            *self._gvisor(),
        ]

    def _gvisor(self) -> list[str]:
        """Offer gVisor where it is installed: without network, with the door's socket."""
        runsc = shutil.which("runsc")
        if runsc is None:
            return []
        wrapper = self.folder / "runsc"
        wrapper.write_text(f'#!/bin/sh\nexec {runsc} {" ".join(_RUNSC_FLAGS)} "$@"\n')
        wrapper.chmod(0o755)
        return [f"--add-runtime=runsc={wrapper}"]

    def _podman(self) -> list[str]:
        return [
            program("podman") or "podman",
            f"--root={self.folder / 'data'}",
            f"--runroot={self._runroot}",
            f"--tmpdir={self.folder / 'tmp'}",
            f"--network-config-dir={self.folder / 'net'}",
        ]

    def _podman_service(self) -> list[str]:
        for name in ("data", "tmp", "net"):
            (self.folder / name).mkdir(exist_ok=True)
        self._runroot.mkdir(mode=0o700, exist_ok=True)
        old = not Path("/sys/fs/cgroup/cgroup.controllers").exists()
        text = _CONTAINERS_CONF + (_CGROUPS_V1 if old else "")
        (self.folder / "containers.conf").write_text(text)
        (self.folder / "registries.conf").write_text(_registries_conf())
        return [*self._podman(), "system", "service", "--time=0", self.url]

    def _environment(self) -> dict[str, str]:
        ours = {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf"),
        }
        return child_environment(ours if self.kind == "podman" else None)

    async def _until_it_answers(self) -> None:
        async with _deadline(_START_SECONDS, f"{self.kind} did not answer"):
            while not await _pings(self.socket):
                if self._process is not None and self._process.poll() is not None:
                    raise SetupFailed(f"{self.kind} does not start: {self._log_tail()}")
                await asyncio.sleep(_LOOK_SECONDS)

    async def _stop_daemon(self) -> None:
        """SIGTERM, then SIGKILL, to the daemon; then whatever a killed one left behind."""
        await self._end(self._pid())
        for shim in processes_with(f"-address {self._runroot}/"):
            for pid in (*children_of(shim), shim):
                await self._end(pid, signal.SIGKILL)
        await self._end(self._pid(self._containerd_pid))
        self.socket.unlink(missing_ok=True)
        self._pid_file.unlink(missing_ok=True)

    async def _end(self, pid: int | None, first: signal.Signals = signal.SIGTERM) -> None:
        if pid is None:
            return
        for sign, seconds in ((first, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while self._runs(pid):
                        await asyncio.sleep(_LOOK_SECONDS)
                return

    def _runs(self, pid: int) -> bool:
        if self._process is not None:
            self._process.poll()  # reaps it, when it was ours
        return command_of(pid) != ""

    def _pid(self, file: Path | None = None) -> int | None:
        """The process of a pid file, if it is still the one that wrote it."""
        try:
            pid = int((file or self._pid_file).read_text())
        except (OSError, ValueError):
            return None
        return pid if str(self.folder) in command_of(pid) else None

    async def _run(self, *command: str) -> None:
        """Run a command of the clean-up; its failure is not ours."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment(),
        )
        await process.wait()

    def _log_tail(self) -> str:
        return self._log.read_text(errors="replace").strip()[-800:]


def _runroot(folder: Path) -> Path:
    """Always the same for a folder: below it, unless that makes the path too long."""
    near = folder / "run"
    return near if len(os.fsencode(near)) <= _LONGEST_RUNROOT else short_folder(near, 0, 0)


def private_engine(settings: Settings) -> PrivateEngine | None:
    """The private engine that can run here, Docker first; None when neither is installed."""
    for kind in ("docker", "podman"):
        runs_here = sys.platform == "linux" and (kind == "podman" or os.geteuid() == 0)
        if runs_here and is_installed(kind):
            return PrivateEngine(kind, settings.data_dir / "engine" / kind)
    return None


def missing_kind(settings: Settings) -> Kind | None:
    """The engine that would have to be installed; None when one is there or was configured."""
    if find_socket(settings) or private_engine(settings) is not None:
        return None
    return "docker" if os.geteuid() == 0 else "podman"


async def ensure_engine(
    settings: Settings, progress: Callable[[str], None], *, may_install: bool = False
) -> str:
    """The url of an engine: one that runs, else the private one, started. SetupFailed.

    Installs packages only when told that it may.
    """
    if found := find_socket(settings):
        return found
    engine = private_engine(settings)
    if may_install and (kind := missing_kind(settings)):
        await install(kind, progress)
        engine = private_engine(settings)
    if engine is None:
        raise SetupFailed("No container engine was found.", hint=install_plan().text)
    progress(f"Starting a private {engine.kind} in {engine.folder}")
    return await engine.start()


def _registries_conf() -> str:
    """The machine's registries, and those on the loopback addresses without TLS."""
    local = [
        f'[[registry]]\nlocation = "{host}"\ninsecure = true\n'
        for host in ("127.0.0.1", "localhost")
    ]
    return 'unqualified-search-registries = ["docker.io"]\n' + "".join(local)


@contextlib.contextmanager
def _locked(path: Path) -> Generator[Callable[[], bool]]:
    """A lock between processes; call what it gives until it says that the lock is held."""
    with path.open("w") as file:

        def mine() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield mine


@contextlib.asynccontextmanager
async def _deadline(seconds: float, what: str) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise SetupFailed(f"{what} within {seconds:.0f} s.") from error


async def _pings(path: Path) -> bool:
    """Whether the engine answers a request, not only a connection."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
        first = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in first
