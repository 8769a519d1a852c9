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
    os.umask(0o022)
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return int(importlib.import_module("harness.supervisor").Supervisor().run())


def _open_standard_streams() -> None:
    """Numbers 0 to 2 must be taken, or a socket could land there."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


def _ignore_signals() -> None:
    """Ignore everything that can be; SIGTERM waits to be asked for, SIGCHLD is needed."""
    spared = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTERM}
    faults = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT}
    for number in signal.valid_signals() - spared - faults:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


if __name__ == "__main__":
    sys.exit(main())
