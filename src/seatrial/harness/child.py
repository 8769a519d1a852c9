"""Starting the child: another uid, no privileges, its own session, pipes for everything."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, Optional

from .protocol import Assign
from .workspace import ROOT

REPORT_FD = 3
CONFIG_FD = 4
RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner.py")

_PIPE_BYTES = 256 * 1024
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ; in the fcntl module only from Python 3.10 on
_SET_DUMPABLE = 4  # PR_SET_DUMPABLE
_CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_NICER = 15
"""How much the child gives way to process 1, which must end it in time although the child may
have a hundred busy processes. Counts within the container only."""


class NotStarted(Exception):
    """The child could not be started; the message says why."""


@dataclass(frozen=True)
class Child:
    """A started child and our ends of its pipes. `report` and `config` only for an agent."""

    pid: int
    stdin: int
    stdout: int
    stderr: int
    report: Optional[int]
    config: Optional[int]


def environment(assign: Assign) -> dict[str, str]:
    """The child's environment: the assigned one over what every child needs."""
    folder = os.path.dirname(assign.python)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "HOME": "/home/agent",
        "TMPDIR": "/tmp",  # noqa: S108 - the container's own, empty at its start
        "PATH": f"{folder}:{path}" if folder else path,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **assign.env,
        "SEATRIAL_DEADLINE": f"{time.time() + assign.deadline_seconds:.3f}",
    }


def command(assign: Assign) -> list[str]:
    """What the child executes."""
    return [assign.python, RUNNER] if assign.mode == "agent" else list(assign.argv)


def start(assign: Assign) -> Child:
    """Fork and execute. Raises NotStarted when the program cannot be executed as assigned."""
    if assign.mode == "agent" and assign.uid == 0:
        raise NotStarted("an agent does not run as root")
    if assign.uid == os.geteuid():
        _hide_from_same_uid()
    argv, env = command(assign), environment(assign)
    clear = _inherits_capabilities()
    ends = [os.pipe() for _ in range(6 if assign.mode == "agent" else 4)]
    try:
        pid = os.fork()
    except OSError as error:
        _close(end for pair in ends for end in pair)
        raise NotStarted(f"no process could be made: {error.strerror}") from error
    if not pid:
        _become(assign, argv, env, ends, clear)
    return _parent(pid, ends)


def _parent(pid: int, ends: list[tuple[int, int]]) -> Child:
    """Keep our ends. The fourth pipe tells an error of the start, and closes when there is none."""
    stdin, stdout, stderr, failed = ends[:4]
    _close([stdin[0], stdout[1], stderr[1], failed[1]])
    ours = [stdin[1], stdout[0], stderr[0]]
    if len(ends) > 4:
        _close([ends[4][1], ends[5][0]])
        ours += [ends[4][0], ends[5][1]]
    with os.fdopen(failed[0], "rb") as pipe:
        message = pipe.read().decode("utf-8", "replace")
    if message:
        _close(ours)
        os.waitpid(pid, 0)
        raise NotStarted(message)
    for descriptor in ours:
        os.set_blocking(descriptor, False)
    for descriptor in ours[1:3]:
        _enlarge(descriptor)
    report, config = (ours[3], ours[4]) if len(ends) > 4 else (None, None)
    return Child(pid, ours[0], ours[1], ours[2], report, config)


def _become(
    assign: Assign, argv: list[str], env: dict[str, str], ends: list[tuple[int, int]], clear: bool
) -> NoReturn:
    """Turn the forked process into the child. Nothing may return from here."""
    try:
        os.setsid()
        os.nice(_NICER)
        _default_signals()
        _offer_to_the_oom_killer()
        failed = _arrange(ends)
        _drop(assign.uid, clear)
        os.umask(0o022)
        os.chdir(assign.workdir)
        try:
            os.execvpe(argv[0], argv, env)  # noqa: S606 - this is what a supervisor is for
        except (OSError, ValueError) as error:
            os.write(failed, f"{argv[0]}: {error}".encode("utf-8", "replace")[:4096])
    except (OSError, ValueError, IndexError) as error:
        os.write(ends[3][1], f"{error}".encode("utf-8", "replace")[:4096])
    finally:
        os._exit(127)


def _arrange(ends: list[tuple[int, int]]) -> int:
    """Put the pipes on 0 to 4; where the error pipe is now. Everything else closes on exec."""
    wanted = [ends[0][0], ends[1][1], ends[2][1]]
    if len(ends) > 4:
        wanted += [ends[4][1], ends[5][0]]
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in [*wanted, ends[3][1]]]
    for number, descriptor in enumerate(moved[:-1]):
        os.dup2(descriptor, number, inheritable=True)
    return moved[-1]


def _drop(uid: int, clear: bool) -> None:
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        if clear:
            _clear_capabilities()


def _default_signals() -> None:
    for number in signal.valid_signals():
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _offer_to_the_oom_killer() -> None:
    """Raise the score, so that the kernel takes the agent and not process 1."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("800")
    except OSError:
        return


def _inherits_capabilities() -> bool:
    """Whether older engines left capabilities in the inheritable set (CVE-2022-24769)."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file if line.startswith("CapInh:")]
    except OSError:
        return False
    return any(int(words[1], 16) for words in lines)


def _clear_capabilities() -> None:
    """Empty every set of a process that is no longer root (capset(2))."""
    import ctypes

    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    empty = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, empty):
        raise OSError(ctypes.get_errno(), "the inheritable capabilities could not be cleared")


def _hide_from_same_uid() -> None:
    """Where the engine allows one uid only: the child may not read or trace process 1."""
    import ctypes

    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def _enlarge(descriptor: int) -> None:
    try:
        fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _PIPE_BYTES)
    except OSError:
        return


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def config(assign: Assign) -> bytes:
    """What the runner is told, over a pipe: not by environment or argument, which others see."""
    return json.dumps(
        {
            "query": assign.query,
            "entry_point": assign.entry_point,
            "response_bytes": assign.response_bytes,
            "root": ROOT,
            "secrets": assign.secrets,
        }
    ).encode("ascii")
