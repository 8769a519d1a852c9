"""Real PostgreSQL servers of Debian's package, each in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from seatrial.engines.processes import children_of

_USER = "seatrial"


@dataclass(frozen=True)
class PostgresServer:
    """A running server that listens on loopback and on a socket in its folder."""

    host: str
    port: int
    password: str
    folder: Path
    programs: Path

    def url(self, database: str) -> str:
        """The URL of one of its databases, as the store takes it."""
        return f"postgresql+asyncpg://{_USER}:{self.password}@{self.host}:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers; recovers what `stop` cut off."""
        options = f"-p {self.port} -h {self.host} -k {self.folder} -c fsync=off"
        given = ["-l", self.folder / "log", "-o", f"{options} -c max_connections=200"]
        self._control("-w", "-t", "60", *given, "start")

    def stop(self) -> None:
        """End it at once, as a crash would: every connection is cut, nothing is finished."""
        self._control("-m", "immediate", "-w", "stop")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to each of its processes: SIGSTOP freezes it, SIGCONT lets it go on."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        for pid in (main, *children_of(main)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _control(self, *arguments: str | Path) -> None:
        _run([self.programs / "pg_ctl", "-D", self.folder / "data", *arguments])


@contextlib.contextmanager
def own_postgres() -> Generator[PostgresServer]:
    """A server that its user may stop and freeze. Fails where the package is not installed."""
    programs = _programs()
    if programs is None:
        pytest.fail("These tests need a PostgreSQL server: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="seatrial-pg-"))
    try:
        server = _make(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's PostgreSQL server."""
    with own_postgres() as server:
        yield server


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _make(programs: Path, folder: Path) -> PostgresServer:
    password = secrets.token_hex(8)
    password_file = folder / "password"
    password_file.write_text(password)
    if os.geteuid() == 0:
        account = pwd.getpwnam(_account())
        os.chown(folder, account.pw_uid, account.pw_gid)
        os.chown(password_file, account.pw_uid, account.pw_gid)
    auth = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password_file}"]
    data = ["-D", folder / "data", "-U", _USER, "-E", "UTF8", "--no-sync"]
    _run([programs / "initdb", *data, *auth])
    return PostgresServer("127.0.0.1", _free_port(), password, folder, programs)


def _run(command: Sequence[str | Path]) -> None:
    """Run a program of PostgreSQL, which refuses to be root."""
    user = _account() if os.geteuid() == 0 else None
    done = subprocess.run(
        command, user=user, group=user, capture_output=True, cwd="/", check=False, timeout=120
    )
    if done.returncode:
        pytest.fail(f"{command[0]} failed: {done.stderr.decode(errors='replace')}")


def _account() -> str:
    """The unprivileged account that the server runs as."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
