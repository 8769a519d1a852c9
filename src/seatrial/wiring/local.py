"""The process that owns the local data folder: found, started when none runs, and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from seatrial.domain.errors import SetupFailed
from seatrial.settings import Settings

from .datadir import make_private
from .owner import owner_pid, wait_until_free

_START_SECONDS = 60.0
_BACKGROUND_IDLE_SECONDS = 900.0
_POLL_SECONDS = 0.05


class LocalAddress(TypedDict):
    """Where the owner listens, as the client takes it."""

    socket_path: Path


def connect(settings: Settings, progress: Callable[[str], None]) -> LocalAddress:
    """The socket of the process that owns the data folder, started in the background if need be.

    SetupFailed with the end of its log when it does not come up.
    """
    if not _answers(settings.socket_path):
        progress("Starting Seatrial in the background (stop it with: seatrial serve --stop)")
        _start(settings)
    return {"socket_path": settings.socket_path}


def stop(settings: Settings) -> bool:
    """End the process that owns the data folder; False when there was none."""
    pid = owner_pid(settings.data_dir)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    if not wait_until_free(settings.data_dir):
        os.kill(pid, signal.SIGKILL)
    return True


def _start(settings: Settings) -> None:
    make_private(settings.data_dir)
    log_file = settings.data_dir / "serve.log"
    descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "seatrial.wiring.background"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=_environment(settings),
            cwd="/",
        )
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(settings.socket_path):
        # Exit 0 means that another process was first: its socket is about to answer.
        if process.poll() not in {None, 0} or time.monotonic() > deadline:
            raise SetupFailed(
                f"Seatrial did not start: {_tail(log_file)}",
                hint=f"Look at {log_file}, or run `seatrial serve` to see it start.",
            )
        time.sleep(_POLL_SECONDS)


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment with what the command line has changed of the settings."""
    changed = settings.model_dump(include=settings.model_fields_set, mode="json")
    changed.setdefault("idle_exit_seconds", _BACKGROUND_IDLE_SECONDS)
    changed["data_dir"] = str(settings.data_dir.absolute())
    for only_for_clients in ("url", "token"):
        changed.pop(only_for_clients, None)
    named = {f"SEATRIAL_{name.upper()}": str(value) for name, value in changed.items()}
    return {**os.environ, **named}


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _tail(log_file: Path) -> str:
    return log_file.read_text(errors="replace").strip()[-600:]
