"""Resolves requirements to a lock and downloads its wheels into the shared cache.

Runs in a container whose network reaches the package index only. Nothing that is downloaded is
executed here: source packages are refused, wheels are only unpacked into the cache.
Standard library only, Python 3.9+, started with `-I -S`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

UV = "/seatrial/bin/uv"
LOCK = "/tmp/lock.txt"  # noqa: S108 - the container's own, empty at its start
NEWEST = "/tmp/newest.txt"  # noqa: S108
ANNOTATED = "/tmp/annotated.txt"  # noqa: S108
SCRATCH = "/tmp/fetched"  # noqa: S108
TOO_LARGE = 70
"""The exit code of a download that wrote more than it may: wheels can be zip bombs."""
LOOK_SECONDS = 0.1

_UNFINISHED = re.compile(r"(/.*?/\.tmp[^/]+)").match
_NO_VERSION = re.compile(r"(?:no version of|only) ([A-Za-z0-9._-]+?)(?:\[[^\]]*\])?[<>=!~]")
_OTHER_PYTHON = re.compile(
    r"(?:Because|of) ([A-Za-z0-9._-]+?)(?:[<>=!~]\S+)? ha(?:s|ve) no wheels with a matching Python"
)


def main() -> int:
    """Resolve unless a lock came with the job, then download. uv's exit code."""
    with open("/agent/job.json", encoding="utf-8") as file:
        job = json.load(file)
    find_links = [f"--find-links={path}" for path in job["find_links"]]
    if job["resolve"]:
        code = _resolve(find_links)
        code = code or _download(LOCK, find_links, job["most_bytes"])
        if code == TOO_LARGE:
            _note_askers(find_links)
        return code
    return _download("/agent/lock.txt", find_links, job["most_bytes"])


def _resolve(find_links: "list[str]") -> int:
    command = [UV, "pip", "compile", "--no-build", "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--python=python3", f"--output-file={LOCK}", *find_links]
    done = subprocess.run(  # noqa: S603
        [*command, "/agent/requirements.in"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    sys.stderr.write(done.stderr)
    if done.returncode:
        _note_newest(done.stderr)
    return done.returncode


def _note_newest(output: str) -> None:
    """Tell which version there is of the package whose asked version does not exist."""
    match = _NO_VERSION.search(output) or _OTHER_PYTHON.search(output)
    if match is None:
        return
    command = [UV, "pip", "compile", "--no-build", "--no-deps", "--no-header", "--no-annotate"]
    subprocess.run(  # noqa: S603
        [*command, "--python=python3", f"--output-file={NEWEST}", "-"],
        input=match.group(1),
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def _note_askers(find_links: "list[str]") -> None:
    """Note which package is there for which, without a download: all metadata is cached."""
    command = [UV, "pip", "compile", "--no-build", "--no-header", "--offline", "--python=python3"]
    subprocess.run(  # noqa: S603
        [*command, f"--output-file={ANNOTATED}", *find_links, "/agent/requirements.in"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def _download(lock: str, find_links: "list[str]", most_bytes: int) -> int:
    """Unpack every wheel into the cache. The links in the scratch folder are of no use."""
    command = [UV, "pip", "install", "--no-build", "--no-deps", "--require-hashes"]
    command += ["--link-mode=symlink", f"--target={SCRATCH}", "--python=python3", *find_links]
    with subprocess.Popen([*command, f"--requirements={lock}"]) as process:  # noqa: S603
        while not _has_ended(process):
            written = _written_bytes(process.pid)
            if written > most_bytes:
                _end_and_clear(process)
                sys.stderr.write(f"{written} bytes were written, {most_bytes} are allowed.\n")
                return TOO_LARGE
    return process.returncode


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it ends within a moment."""
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end_and_clear(process: "subprocess.Popen[bytes]") -> None:
    """Kill it, and remove what it was just unpacking: uv leaves that behind."""
    process.send_signal(signal.SIGSTOP)
    unfinished = {found[1] for path in _open_files(process.pid) if (found := _UNFINISHED(path))}
    process.kill()
    process.wait()
    for folder in unfinished:
        shutil.rmtree(folder, ignore_errors=True)


def _open_files(pid: int) -> "list[str]":
    paths: list[str] = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            paths.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            continue
    return paths


def _written_bytes(pid: int) -> int:
    """What a process wrote to disk so far, the kernel's count; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            counts = dict(line.split(": ") for line in file)
    except OSError:
        return 0
    return int(counts.get("write_bytes", 0))


if __name__ == "__main__":
    sys.exit(main())
