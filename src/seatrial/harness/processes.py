"""The processes of the container, seen and ended by process 1."""

import os
import signal
import time
from contextlib import suppress
from typing import Optional


def others(known: set[int]) -> list[int]:
    """Every living process but process 1 and the known ones. Zombies do not count."""
    return [
        pid
        for pid in _numbers()
        if pid != 1 and pid not in known and _status(pid)[:1] not in ([], ["Z"], ["X"])
    ]


def signal_session(session: int, number: int) -> None:
    """Send a signal to every process of a session."""
    for pid in _numbers():
        status = _status(pid)
        if len(status) > 3 and status[3] == str(session):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def kill_all(seconds: float = 2.0) -> dict[int, int]:
    """Kill everything but process 1; the wait statuses of its children. At most so many seconds.

    Must run as process 1 of its own namespace: anywhere else `kill(-1)` is the end of the host.
    """
    if os.getpid() != 1:
        raise RuntimeError("only process 1 of a container may kill everything")
    ended: dict[int, int] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(-1, signal.SIGKILL)
        ended.update(reap())
        if not others(set()):
            break
        time.sleep(0.001)
    return ended


def reap() -> dict[int, int]:
    """Every child that ended and was not reaped yet, with its wait status."""
    ended: dict[int, int] = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            ended[pid] = status
    return ended


def outcome(status: int) -> tuple[Optional[int], Optional[int]]:
    """A wait status as (exit code, signal): one of them is None."""
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _numbers() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _status(pid: int) -> list[str]:
    """State, parent, group, session ... of `/proc/PID/stat`; the name before may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2].decode("ascii").split()
    except OSError:
        return []
