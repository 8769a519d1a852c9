"""What each build stage is: its program, its input, its mounts and its way out. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from seatrial.domain.ports import Mount
from seatrial.settings import Settings

from .diagnose import Stage
from .folders import CERTIFICATES, SHARED_PATH, UV_FOLDER, EnvironmentFolders, PackageFolders
from .index import Index, find_certificates, find_index

LOCK_FILE = "/tmp/lock.txt"  # noqa: S108 - a path inside the container
NEWEST_FILE = "/tmp/newest.txt"  # noqa: S108
ANNOTATED_FILE = "/tmp/annotated.txt"  # noqa: S108
SOURCES_LOCK = "/home/agent/lock.txt"
SOURCES_WHEELS = "/home/agent/wheels"
_CACHE = "/home/agent/cache"
_TEMPORARY = "/home/agent/tmp"
"""Below the home folder, since compiled things must be executable there."""

_PROXY = "http://127.0.0.1:8377"
"""Where the harness listens for the container's one door."""

WHEELS = "/seatrial/wheels"
WORK, TREE = "/build", "/opt/venv"
"""Where a package's Dockerfile works, and what it makes there."""
_PIP = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
}

_FETCH_DISK_MB = 256
_SOURCES_DISK_MB = 1024
_INSTALL_DISK_MB = 64


@dataclass(frozen=True)
class StageSpec:
    """One container: what runs in it and what it sees.

    `trusted`: it runs no foreign code, so that it may run as the worker's own user and write
    the shared folder.
    """

    stage: Stage
    files: Mapping[str, str]
    env: Mapping[str, str] = field(repr=False)
    mounts: tuple[Mount, ...]
    disk_mb: int
    trusted: bool
    egress: frozenset[tuple[str, int]] = frozenset()
    collect: tuple[str, ...] = ()

    @property
    def argv(self) -> list[str]:
        """The command: the stage's own program, safe from any site configuration."""
        return ["python3", "-I", "-S", f"/agent/{self.stage}.py"]


@dataclass(frozen=True)
class StageInputs:
    """What all stages of one build share."""

    folders: EnvironmentFolders
    index: Index
    uv: Path
    certificates: Path


def inputs(folders: EnvironmentFolders, settings: Settings) -> StageInputs:
    """What the stages share on this machine; makes the folders. SetupFailed."""
    folders.create()
    return StageInputs(
        folders=folders,
        index=find_index(settings.index_url),
        uv=folders.uv_folder(),
        certificates=folders.certificates(find_certificates()),
    )


def fetch_stage(
    inputs: StageInputs,
    *,
    requirements: str | None,
    lock: str,
    wheels: Path | None,
    most_mb: int,
) -> StageSpec:
    """Resolve the requirements (or take the lock when there are none) and fill the cache.

    What is downloaded and unpacked may not take more than `most_mb` of the disk.
    """
    job = {
        "resolve": requirements is not None,
        "find_links": _find_links(wheels),
        "most_bytes": most_mb << 20,
    }
    given = {"lock.txt": lock} if requirements is None else {"requirements.in": requirements}
    return StageSpec(
        stage="fetch",
        files=_files("fetch", job, given),
        env=_env(inputs, network=True) | {"UV_CACHE_DIR": f"{SHARED_PATH}/cache"},
        mounts=(_shared(inputs), *_tools(inputs), *_wheels(wheels)),
        disk_mb=_FETCH_DISK_MB,
        trusted=True,
        egress=inputs.index.hosts,
        collect=(LOCK_FILE, NEWEST_FILE, ANNOTATED_FILE),
    )


def sources_stage(inputs: StageInputs, *, requirements: str, names: frozenset[str]) -> StageSpec:
    """Build wheels of the named packages. Sees nothing of ours but uv and the certificates."""
    return StageSpec(
        stage="sources",
        files=_files("sources", {"sources": sorted(names)}, {"requirements.in": requirements}),
        env=_env(inputs, network=True) | {"UV_CACHE_DIR": _CACHE, "TMPDIR": _TEMPORARY},
        mounts=_tools(inputs),
        disk_mb=_SOURCES_DISK_MB,
        trusted=False,
        egress=inputs.index.hosts,
        collect=(SOURCES_LOCK, f"{SOURCES_WHEELS}/*.whl"),
    )


def install_stage(inputs: StageInputs, *, lock: str, key: str, wheels: Path | None) -> StageSpec:
    """Make the tree from the cache, without any network."""
    job = {"tree": tree_path(key), "find_links": _find_links(wheels)}
    return StageSpec(
        stage="install",
        files=_files("install", job, {"lock.txt": lock}),
        env=_env(inputs, network=False) | {"UV_CACHE_DIR": f"{SHARED_PATH}/cache"},
        mounts=(_shared(inputs), *_tools(inputs), *_wheels(wheels)),
        disk_mb=_INSTALL_DISK_MB,
        trusted=True,
    )


def wheels_stage(
    inputs: StageInputs, folders: PackageFolders, *, lock: str, most_mb: int
) -> StageSpec:
    """Download a lock's wheels by hash, without installing any."""
    pip = ("/home/agent/tools/bin/python", "-I", "-m", "pip")
    download = ("download", "--no-deps", "--require-hashes", "--only-binary", ":all:")
    commands = [
        ("python3", "-I", "-m", "venv", "/home/agent/tools"),
        (*pip, *download, "--dest", WHEELS, "--requirement", "/agent/lock.txt"),
    ]
    env = _PIP | _env(inputs, network=True) | {"TMPDIR": WHEELS, "PIP_INDEX_URL": inputs.index.url}
    if inputs.index.extra:
        env["PIP_EXTRA_INDEX_URL"] = " ".join(inputs.index.extra)
    return StageSpec(
        stage="wheels",
        files=_steps("wheels", commands, WHEELS, most_mb) | {"lock.txt": lock},
        env=env,
        mounts=(
            Mount(str(inputs.certificates), CERTIFICATES),
            Mount(str(folders.wheels), WHEELS, read_only=False),
        ),
        disk_mb=_FETCH_DISK_MB,
        trusted=True,
        egress=inputs.index.hosts,
    )


def assemble_stage(folders: PackageFolders, *, lock: str, commands: str, most_mb: int) -> StageSpec:
    """Run a Dockerfile's commands on those wheels, without any network."""
    given = ("/bin/sh", "-c", "umask 022\ncp /agent/requirements.txt .\n" + commands)
    return StageSpec(
        stage="assemble",
        files=_steps("assemble", [given], WORK, most_mb) | {"requirements.txt": lock},
        env=_PIP | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS, "TMPDIR": WORK},
        mounts=(
            Mount(str(folders.wheels), WHEELS),
            Mount(str(folders.work), WORK, read_only=False),
            Mount(str(folders.tree), TREE, read_only=False),
        ),
        disk_mb=_INSTALL_DISK_MB,
        trusted=True,
    )


def _steps(
    stage: Stage, commands: Sequence[Sequence[str]], folder: str, most_mb: int
) -> dict[str, str]:
    program = resources.files("seatrial.environments.inside") / "steps.py"
    job = {"commands": commands, "folder": folder, "most_bytes": most_mb << 20}
    return {f"{stage}.py": program.read_text("utf-8"), "job.json": json.dumps(job)}


def tree_path(key: str) -> str:
    """Where a tree is inside every container: the path that it is compiled for."""
    return f"{SHARED_PATH}/trees/{key}"


def _files(stage: Stage, job: Mapping[str, object], given: Mapping[str, str]) -> dict[str, str]:
    program = resources.files("seatrial.environments.inside") / f"{stage}.py"
    return {f"{stage}.py": program.read_text("utf-8"), "job.json": json.dumps(job), **given}


def _env(inputs: StageInputs, *, network: bool) -> dict[str, str]:
    env = {
        "UV_NO_CONFIG": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_KEYRING_PROVIDER": "disabled",
        "UV_DEFAULT_INDEX": inputs.index.url,
        "NO_COLOR": "1",
    }
    if inputs.index.extra:
        env["UV_INDEX"] = " ".join(inputs.index.extra)
    if network:
        env |= {"HTTPS_PROXY": _PROXY, "HTTP_PROXY": _PROXY, "UV_HTTP_TIMEOUT": "30"}
        bundles = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
        env |= dict.fromkeys(bundles, CERTIFICATES)
    return env


def _shared(inputs: StageInputs) -> Mount:
    return Mount(str(inputs.folders.shared), SHARED_PATH, read_only=False)


def _tools(inputs: StageInputs) -> tuple[Mount, ...]:
    return Mount(str(inputs.uv), UV_FOLDER), Mount(str(inputs.certificates), CERTIFICATES)


def _wheels(wheels: Path | None) -> tuple[Mount, ...]:
    return () if wheels is None else (Mount(str(wheels), _wheels_path(wheels)),)


def _find_links(wheels: Path | None) -> list[str]:
    return [] if wheels is None else [_wheels_path(wheels)]


def _wheels_path(wheels: Path) -> str:
    """A path that no other owner has: uv's cache knows wheels by the folder they came from."""
    return f"/seatrial/wheels/{wheels.parent.name}"
