"""When the server's process ends: on SIGTERM or SIGINT, and with its parent."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def stop_event(*, stdin_too: bool) -> asyncio.Event:
    """An event of the running loop that is set when this process should end.

    That is on SIGTERM or SIGINT, when the parent dies (Linux) and, with `stdin_too`, when
    standard input ends (everywhere: the parent holds the other end of the pipe).
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if sys.platform == "linux":
        _watch_parent(loop, stop)
    if stdin_too:
        _watch_stdin(loop, stop)
    return stop


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    parent = os.getppid()

    def parent_may_be_gone() -> None:
        # Linux sends this signal also when only the thread that started us has ended.
        if os.getppid() != parent:
            stop.set()

    loop.add_signal_handler(signal.SIGUSR1, parent_may_be_gone)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def wait_for_end() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    # A thread, because an event loop cannot watch every kind of file that stdin may be.
    threading.Thread(target=wait_for_end, name="stdin", daemon=True).start()
