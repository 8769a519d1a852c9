"""Builds wheels of the packages that have none, from their sources: foreign code runs here.

Runs in a throwaway container that holds nothing but an empty memory file system: no cache, no
credential, a network that reaches the package index only. Whatever comes out is checked outside.
Standard library only, Python 3.9+, started with `-I -S`.
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

UV = "/seatrial/bin/uv"
HOME = "/home/agent"
LOCK = f"{HOME}/lock.txt"
WHEELS = f"{HOME}/wheels"
CACHE = f"{HOME}/cache"

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_STRAY_SECONDS = 3.0
"""How long a process may outlive the build step that started it."""


def main() -> int:
    """Resolve, build what is named in the job, put the wheels where they are collected."""
    with open("/agent/job.json", encoding="utf-8") as file:
        names = json.load(file)["sources"]
    for folder in (WHEELS, os.environ["TMPDIR"]):
        os.makedirs(folder, exist_ok=True)
    threading.Thread(target=_end_strays, daemon=True).start()
    may_build = ["--only-binary=:all:", *[f"--no-binary={name}" for name in names]]
    code = _resolve(may_build)
    return code or _build(may_build, names)


def _resolve(may_build: "list[str]") -> int:
    command = [UV, "pip", "compile", *may_build, "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--python=python3", f"--output-file={LOCK}"]
    return subprocess.run(  # noqa: S603
        [*command, "/agent/requirements.in"], stdout=subprocess.DEVNULL, check=False
    ).returncode


def _build(may_build: "list[str]", names: "list[str]") -> int:
    with open(LOCK, encoding="utf-8") as file:
        pinned = _PINNED.findall(file.read())
    wanted = [f"{name}=={version}" for name, version in pinned if name in names]
    command = [UV, "pip", "install", "--no-deps", *may_build, f"--target={HOME}/built"]
    code = subprocess.run([*command, "--python=python3", *wanted], check=False).returncode  # noqa: S603
    for wheel in glob.glob(f"{CACHE}/sdists-*/**/*.whl", recursive=True):
        shutil.copy(wheel, WHEELS)
    return code


def _end_strays() -> None:
    """End what build steps leave running: it holds their output open, and uv waits for that."""
    ours = os.getpid()
    seen: dict[int, float] = {}
    while True:
        time.sleep(0.5)
        strays = {pid for pid in _children_of_init() if pid != ours}
        now = time.monotonic()
        seen = {pid: seen.get(pid, now) for pid in strays}
        for pid, since in seen.items():
            if now - since >= _STRAY_SECONDS:
                _kill(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return
    sys.stderr.write("A process that the build left running was ended.\n")


def _children_of_init() -> "set[int]":
    found: set[int] = set()
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, "rb") as file:
                # The name in parentheses may hold anything; what follows the last one is numbers.
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except OSError:
            continue
        if parent == b"1" and state != b"Z":
            found.add(int(path.split("/")[2]))
    return found


if __name__ == "__main__":
    sys.exit(main())
