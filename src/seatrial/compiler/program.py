"""The child's program: `program.py SYNTAX_FILE MEMORY_BYTES`. Run with -I -S, never imported.

Standard input brings jobs. Standard output takes one answer per source and then whether the child
ends now. Each is a length of four bytes and JSON. It ends with its input, which ends with its
parent, and when a job takes too much processor time or has made it large.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import resource
import signal
import sys
from typing import Any, BinaryIO

_WORN_BYTES = 128 * 1024 * 1024
"""Memory from which on a child ends after its job, and from which on it is what ran out."""


def main() -> None:
    """Answer jobs until the input ends."""
    path, memory = sys.argv[1], int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    syntax = _load(path)
    while head := sys.stdin.buffer.read(4):
        job = json.loads(sys.stdin.buffer.read(int.from_bytes(head, "big")))
        # Nothing handles this signal, so the kernel ends the process within the compiler too.
        signal.setitimer(signal.ITIMER_PROF, job["seconds"])
        for source in job["sources"]:
            _send(sys.stdout.buffer, _answer(syntax, source, tuple(job["version"])))
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(sys.stdout.buffer, _is_worn())
        if _is_worn():
            return


def _load(path: str) -> Any:
    loader = importlib.machinery.SourceFileLoader("syntax", path)
    spec = importlib.util.spec_from_loader("syntax", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["syntax"] = module
    loader.exec_module(module)
    return module


def _answer(syntax: Any, source: str, version: tuple[int, int]) -> Any:
    found = syntax.find(source, version)
    if found is not None and found.kind == syntax.TOO_COMPLEX and _is_worn():
        return syntax.Finding(syntax.UNCHECKED)
    return found


def _is_worn() -> bool:
    """Whether this process has needed much memory: its limit then ended the job, not nesting.

    `getrusage` is no help: its maximum is inherited from the parent.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            status = file.read()
    except OSError:
        return False
    most = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(most.split()[1]) * 1024 > _WORN_BYTES


def _send(out: BinaryIO, answer: Any) -> None:
    data = json.dumps(answer).encode()
    out.write(len(data).to_bytes(4, "big") + data)
    out.flush()


if __name__ == "__main__":
    main()
