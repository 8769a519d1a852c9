"""A real PostgreSQL server of Debian's package, started once per session in a folder of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_USER = "seatrial"


@dataclass(frozen=True)
class PostgresServer:
    """A running server that listens on loopback and on a socket in its folder."""

    host: str
    port: int
    password: str

    def url(self, database: str) -> str:
        """The URL of one of its databases, as the store takes it."""
        return f"postgresql+asyncpg://{_USER}:{self.password}@{self.host}:{self.port}/{database}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's PostgreSQL server. Fails where the package is not installed."""
    programs = _programs()
    if programs is None:
        pytest.fail("These tests need a PostgreSQL server: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="seatrial-pg-"))
    try:
        server = _start(programs, folder)
        try:
            yield server
        finally:
            _run([programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _start(programs: Path, folder: Path) -> PostgresServer:
    password = secrets.token_hex(8)
    password_file = folder / "password"
    password_file.write_text(password)
    if os.geteuid() == 0:
        account = pwd.getpwnam(_account())
        os.chown(folder, account.pw_uid, account.pw_gid)
        os.chown(password_file, account.pw_uid, account.pw_gid)
    data = folder / "data"
    auth = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password_file}"]
    _run([programs / "initdb", "-D", data, "-U", _USER, "-E", "UTF8", "--no-sync", *auth])
    server = PostgresServer("127.0.0.1", _free_port(), password)
    options = f"-p {server.port} -h {server.host} -k {folder} -c fsync=off -c max_connections=200"
    log = folder / "log"
    _run([programs / "pg_ctl", "-D", data, "-l", log, "-w", "-t", "60", "-o", options, "start"])
    return server


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
