"""Where environments are kept on the worker's machine."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import uv

SHARED_PATH = "/seatrial/environments"
"""Where build containers see cache and trees: one mount, so that hard links are possible."""

STAGES_UID = 65_532
"""No account of the machine, no agent (20,000 to 60,000), and not the forwarder's (65,533)."""

UV_FOLDER = "/seatrial/bin"
CERTIFICATES = "/seatrial/certificates.pem"


@dataclass(frozen=True)
class EnvironmentFolders:
    """The folders below `state`, which is this room's alone.

    Only `shared` is written by containers (and only by the stages that run no foreign code).
    What says that a tree is whole lies outside it, where no package can put a file.
    """

    state: Path

    @property
    def shared(self) -> Path:
        """What fetch and install mount: the cache and the trees."""
        return self.state / "shared"

    @property
    def cache(self) -> Path:
        """Downloaded and unpacked wheels of the index."""
        return self.shared / "cache"

    @property
    def trees(self) -> Path:
        """Built environments by key."""
        return self.shared / "trees"

    @property
    def markers(self) -> Path:
        """One file per whole tree; its time is when the tree was last used."""
        return self.state / "complete"

    @property
    def uses(self) -> Path:
        """For each tree an empty file per owner; its time is the owner's last use of the tree."""
        return self.state / "uses"

    @property
    def resolutions(self) -> Path:
        """Locks by the hash of their inputs."""
        return self.state / "resolutions"

    def wheelhouse(self, owner: str) -> Path:
        """Wheels that were built from source for one owner."""
        return self.state / "owners" / owner / "wheels"

    def package(self, name: str) -> PackageFolders:
        """Where the requirements of one package are installed for its verification."""
        return PackageFolders(self.packages / name)

    @property
    def packages(self) -> Path:
        """The folders of verifications, each for as long as it lasts."""
        return self.state / "packages"

    def lock(self, name: str) -> Path:
        """The file that processes lock to exclude each other."""
        return self.state / "locks" / f"{name}.lock"

    def create(self) -> None:
        """Make the folders. Idempotent."""
        for folder in (self.markers, self.uses, self.resolutions):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in ("owners", "locks", "packages"):
            (self.state / folder).mkdir(exist_ok=True)
        # The stages pass through as whatever user the engine maps them to.
        for folder in (self.shared, self.cache, self.trees):
            make_readable(folder)
            give_to_stages(folder)

    def uv_folder(self) -> Path:
        """A copy of uv's binary that containers may read and execute, by version and size."""
        binary = Path(uv.find_uv_bin())
        folder = self.state / "uv" / f"{uv_version()}-{binary.stat().st_size}"
        if not (folder / "uv").exists():
            make_readable(folder)
            with _draft_of(folder / "uv") as draft:
                shutil.copyfile(binary, draft)
                draft.chmod(0o755)
        return folder

    def certificates(self, bundle: bytes) -> Path:
        """A copy of a bundle of certificates that containers may read, by its content."""
        name = hashlib.sha256(bundle).hexdigest()[:16]
        path = self.state / "certificates" / f"{name}.pem"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, bundle)
        return path


@dataclass(frozen=True)
class PackageFolders:
    """The folders of one verification; all but `wheels` are written by foreign files' names."""

    root: Path

    @property
    def wheels(self) -> Path:
        """What was downloaded."""
        return self.root / "wheels"

    @property
    def work(self) -> Path:
        """Where the Dockerfile's commands start."""
        return self.root / "work"

    @property
    def tree(self) -> Path:
        """What they install."""
        return self.root / "tree"

    def create(self) -> None:
        """Make them for the stages to write."""
        for folder in (self.wheels, self.work, self.tree):
            make_readable(folder)
            give_to_stages(folder)


def stages_uid() -> int:
    """The user that stages run as which write folders of ours; never root."""
    return os.getuid() or STAGES_UID


def give_to_stages(folder: Path) -> None:
    """Let the stages write it. What a former version wrote there as root is theirs, too."""
    owner = stages_uid()
    if os.getuid() != 0 or folder.lstat().st_uid == owner:
        return
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(root) / name, owner, owner, follow_symlinks=False)
    os.chown(folder, owner, owner)


def uv_version() -> str:
    """The version of uv that resolves and installs."""
    return version("uv")


def make_readable(folder: Path) -> None:
    """Make a folder that containers mount and read, whatever modes this process's files get."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it; readable by containers."""
    with _draft_of(path) as draft:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)


@contextmanager
def _draft_of(path: Path) -> Generator[Path]:
    """A file that takes that path when it is whole, and is removed when it does not get there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
