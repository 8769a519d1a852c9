"""The program of process 1: `python3 -I -S <folder>/harness/boot.py`.

Makes the folder above importable, so that this package is `harness` there as it is
`seatrial.harness` elsewhere, and shields the process from signals before anything else runs.
"""

import importlib
import os
import signal
import sys


def main() -> int:
    """Run the supervisor; the exit code of the container."""
    if os.getpid() != 1:
        sys.stderr.write("the supervisor runs as process 1 of a container, nowhere else\n")
        return 2
    _open_standard_streams()
    _ignore_signals()
    _refuse_to_be_killed_for_memory()
    os.umask(0o022)
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return int(importlib.import_module("harness.supervisor").Supervisor().run())


def _open_standard_streams() -> None:
    """Numbers 0 to 2 must be taken, or a socket could land there."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


def _refuse_to_be_killed_for_memory() -> None:
    """Where the kernel lets us: an agent may set its own score as low as this one's."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("-1000")
    except OSError:
        return


def _ignore_signals() -> None:
    """Ignore everything that can be; SIGTERM waits to be asked for, SIGCHLD is needed."""
    spared = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTERM}
    faults = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT}
    for number in signal.valid_signals() - spared - faults:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


if __name__ == "__main__":
    sys.exit(main())
