"""Runs commands one after the other, and ends them when they write more than they may.

Runs in a container of its own, under a user without rights. Standard library only, Python 3.9+,
started with `-I -S`.
"""

import json
import os
import subprocess
import sys

TOO_LARGE = 70
"""The exit code when more was written than is allowed."""
LOOK_SECONDS = 0.2


def main() -> int:
    """The exit code of the first command that fails."""
    with open("/agent/job.json", encoding="utf-8") as file:
        job = json.load(file)
    for command in job["commands"]:
        code = _run(command, job["folder"], job["most_bytes"])
        if code:
            return code
    return 0


def _run(command: "list[str]", folder: str, most_bytes: int) -> int:
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.STDOUT) as process:  # noqa: S603
        while not _has_ended(process):
            written = _written_bytes()
            if written > most_bytes:
                process.kill()
                sys.stdout.write(f"{written} bytes were written, {most_bytes} are allowed.\n")
                return TOO_LARGE
    return process.returncode


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it ends within a moment."""
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _written_bytes() -> int:
    """What all processes of this user wrote to disk so far, the kernel's count."""
    return sum(_written_by(name) for name in os.listdir("/proc") if name.isdigit())


def _written_by(pid: str) -> int:
    """With what its children wrote that have ended; 0 for another user's process."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            counts = dict(line.split(": ") for line in file)
    except OSError:
        return 0
    return int(counts.get("write_bytes", 0))


if __name__ == "__main__":
    sys.exit(main())
