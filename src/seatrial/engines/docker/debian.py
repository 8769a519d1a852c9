"""A base image built from Debian packages, for machines that reach no registry.

`mmdebstrap` makes the root file system in about 20 s; it is wrapped into the form of
`docker save`, so that Docker and Podman load the same bytes and give it the same content id.
The archive is kept and shared by all engines of this installation.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import platform
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seatrial.domain.errors import ImageUnavailable, NoCapacity
from seatrial.settings.children import UMASK, child_environment

SUITES = {"3.11": "bookworm", "3.13": "trixie"}
"""Python version to the Debian release that packages it. Measured: both build on either."""
_PACKAGES = "python3,python3-venv,ca-certificates"
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LAYER, _CONFIG = "layer.tar", "config.json"

Progress = Callable[[str], None]


def reference(python: str) -> str:
    """The name of the image that is built here."""
    return f"seatrial/python:{python}-debian"


async def archive(python: str, folder: Path, progress: Progress, *, because: str) -> Path:
    """The image as a `docker save` archive, built if it is not there yet.

    `because` says why no registry's image is used. ImageUnavailable, NoCapacity.
    """
    path = folder / f"python-{python}-debian-{platform.machine()}.tar"
    if path.exists():
        return path
    suite = SUITES.get(python)
    if suite is None:
        raise _cannot(python, because, f"Debian packages only Python {' and '.join(SUITES)}")
    if shutil.which("mmdebstrap") is None:
        raise _cannot(python, because, "mmdebstrap, which would build one, is not installed")
    with _space_errors():
        await _build(python, suite, path, progress, because)
    return path


def _cannot(python: str, because: str, why: str) -> ImageUnavailable:
    return ImageUnavailable(
        f"There is no base image for Python {python}: no registry answers ({because}), and {why}.",
        hint=(
            "Set SEATRIAL_REGISTRY to a registry that can be reached, load an image named "
            f"{reference(python)} into the engine, install mmdebstrap (Debian, Ubuntu), or use "
            f"Python {' or '.join(SUITES)}."
        ),
    )


@contextlib.contextmanager
def _space_errors() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise NoCapacity(f"The base image cannot be written: {error}") from error


async def _build(python: str, suite: str, path: Path, progress: Progress, because: str) -> None:
    progress(f"Building an image with Python {python} from Debian {suite} packages")
    rootfs, part = path.with_suffix(".rootfs"), path.with_suffix(".part")
    try:
        await _mmdebstrap(python, suite, rootfs, progress, because)
        progress("Writing the image")
        await asyncio.to_thread(_write_archive, python, rootfs, part)
        part.replace(path)
    finally:
        rootfs.unlink(missing_ok=True)
        part.unlink(missing_ok=True)


async def _mmdebstrap(
    python: str, suite: str, target: Path, progress: Progress, because: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        f"--include={_PACKAGES}",
        *[f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT],
        suite,
        str(target),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=child_environment({"LC_ALL": "C"}),
        umask=UMASK,
    )
    tail = ""
    try:
        async for line in _lines(process):
            tail = f"{tail[-2000:]}\n{line}"
            if line.startswith("I: "):
                progress(line.removeprefix("I: "))
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()  # it unmounts what it mounted
            await process.wait()
    if code != 0:
        raise _cannot(python, because, f"building one failed: {tail.strip()[-600:]}")


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stdout is not None
    async for line in process.stdout:
        yield line.decode("utf-8", "replace").rstrip()


def _write_archive(python: str, rootfs: Path, target: Path) -> None:
    """Wrap the layer: a manifest, a configuration and the layer itself."""
    with rootfs.open("rb") as layer:
        digest = hashlib.file_digest(layer, "sha256").hexdigest()
    config = _image_config(digest)
    manifest = [{"Config": _CONFIG, "RepoTags": [reference(python)], "Layers": [_LAYER]}]
    with tarfile.open(target, "w") as out:
        _add(out, "manifest.json", json.dumps(manifest).encode())
        _add(out, _CONFIG, json.dumps(config).encode())
        out.add(rootfs, _LAYER)


def _image_config(layer: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(
            platform.machine(), platform.machine()
        ),
        "os": "linux",
        "created": now,
        "config": {"Env": [_PATH], "Cmd": ["python3"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
        "history": [{"created": now, "created_by": "mmdebstrap"}],
    }


def _add(out: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    out.addfile(member, io.BytesIO(data))
