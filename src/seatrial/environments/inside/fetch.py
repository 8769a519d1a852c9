"""Resolves requirements to a lock and downloads its wheels into the shared cache.

Runs in a container whose network reaches the package index only. Nothing that is downloaded is
executed here: source packages are refused, wheels are only unpacked into the cache.
Standard library only, Python 3.9+, started with `-I -S`.
"""

import json
import re
import subprocess
import sys

UV = "/seatrial/bin/uv"
LOCK = "/tmp/lock.txt"  # noqa: S108 - the container's own, empty at its start
NEWEST = "/tmp/newest.txt"  # noqa: S108
SCRATCH = "/tmp/fetched"  # noqa: S108

_NO_VERSION = re.compile(r"(?:no version of|only) ([A-Za-z0-9._-]+?)(?:\[[^\]]*\])?[<>=!~]")


def main() -> int:
    """Resolve unless a lock came with the job, then download. uv's exit code."""
    with open("/agent/job.json", encoding="utf-8") as file:
        job = json.load(file)
    find_links = [f"--find-links={path}" for path in job["find_links"]]
    if job["resolve"]:
        code = _resolve(find_links)
        return code or _download(LOCK, find_links)
    return _download("/agent/lock.txt", find_links)


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
    match = _NO_VERSION.search(output)
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


def _download(lock: str, find_links: "list[str]") -> int:
    """Unpack every wheel into the cache. The links in the scratch folder are of no use."""
    command = [UV, "pip", "install", "--no-build", "--no-deps", "--require-hashes"]
    command += ["--link-mode=symlink", f"--target={SCRATCH}", "--python=python3", *find_links]
    return subprocess.run([*command, f"--requirements={lock}"], check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
