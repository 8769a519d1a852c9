"""The trees that are kept, what says that they are whole, and the removal of old ones."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from seatrial.domain.ports import EnvironmentInfo
from seatrial.domain.shares import Kept, removal_order

from .folders import EnvironmentFolders, write_whole
from .locks import trying

_JUST_HANDED_OUT_SECONDS = 60.0
"""Between an environment's being handed out and its container's start."""

_LOCK_SECONDS = 24 * 3600.0
"""How long a resolution is used again: after a day, new versions are looked for."""


@dataclass(frozen=True)
class Resolution:
    """A lock and what it took to find it. `owner` names whose wheels it needs."""

    lock: str
    seconds: float
    owner: str | None = None


@dataclass(frozen=True)
class Marker:
    """What is known of a whole tree."""

    python: str
    packages: int
    size_bytes: int
    built_seconds: float


class Trees:
    """Reads and writes what is kept. Every call is short but `measure` and `make_room`."""

    def __init__(self, folders: EnvironmentFolders) -> None:
        self.folders = folders

    # ---------------------------------------------------------------- resolutions

    def resolution(self, key: str) -> Resolution | None:
        """The kept resolution of these inputs, when it is not too old."""
        path = self._resolution(key)
        try:
            if time.time() - path.stat().st_mtime > _LOCK_SECONDS:
                return None
            return Resolution(**json.loads(path.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def keep_resolution(self, key: str, resolution: Resolution) -> None:
        """Keep it for later calls with the same inputs."""
        write_whole(self._resolution(key), json.dumps(asdict(resolution)).encode())

    # ---------------------------------------------------------------- trees

    def use(self, key: str) -> Marker | None:
        """The tree's marker, and from now on it counts as just used; None: no whole tree."""
        path = self._marker(key)
        try:
            os.utime(path)
            return Marker(**json.loads(path.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def note_use(self, key: str, owner: str) -> None:
        """From now on the tree counts as used by that owner too, just now."""
        folder = self.folders.uses / key
        folder.mkdir(parents=True, exist_ok=True)
        (folder / owner).touch()

    def clear(self, key: str) -> None:
        """Remove what a build that was lost has left of a tree."""
        self._marker(key).unlink(missing_ok=True)
        remove_folder(self.folders.uses / key)
        remove_folder(self.folders.trees / key)

    def complete(self, key: str, *, python: str, packages: int, seconds: float) -> Marker:
        """From now on the tree is whole."""
        size = sum(_sizes([self.folders.trees / key]).values())
        marker = Marker(python, packages, size, round(seconds, 3))
        write_whole(self._marker(key), json.dumps(asdict(marker)).encode())
        return marker

    def entries(self) -> list[EnvironmentInfo]:
        """All whole trees, most recently used first."""
        found: list[EnvironmentInfo] = []
        for path in self.folders.markers.glob("*.json"):
            try:
                used, marker = path.stat().st_mtime, Marker(**json.loads(path.read_bytes()))
            except (FileNotFoundError, ValueError, TypeError):
                continue  # removed meanwhile
            found.append(
                EnvironmentInfo(
                    key=path.stem,
                    python=marker.python,
                    size_bytes=marker.size_bytes,
                    packages=marker.packages,
                    last_used=datetime.fromtimestamp(used, UTC),
                )
            )
        return sorted(found, key=lambda entry: entry.last_used, reverse=True)

    def entries_of(self, owner: str) -> list[EnvironmentInfo]:
        """What the owner has used of them, by the owner's last use."""
        found = [
            replace(entry, last_used=used)
            for entry in self.entries()
            if (used := self._uses(entry.key).get(owner))
        ]
        return sorted(found, key=lambda entry: entry.last_used, reverse=True)

    def _uses(self, key: str) -> dict[str, datetime]:
        """When each owner last used the tree."""
        try:
            files = list((self.folders.uses / key).iterdir())
            return {one.name: datetime.fromtimestamp(one.stat().st_mtime, UTC) for one in files}
        except FileNotFoundError:
            return {}  # removed meanwhile, or from before uses were noted

    # ---------------------------------------------------------------- room

    def measure(self) -> int:
        """Bytes on disk of everything that is kept; a file with several names counts once."""
        return sum(_sizes([self.folders.shared, self.folders.state / "owners"]).values())

    def make_room(self, keep_bytes: int, in_use: Collection[str]) -> int:
        """Remove until what is left fits; bytes given back.

        First the cache and the wheels from source, without which everything still runs (not
        while a build uses them), then the least recently used trees: those of owners above their
        share before any other. Never one that is in use.
        """
        before = left = self.measure()
        if left <= keep_bytes:
            return 0
        self._remove_orphans()
        self._remove_cache()
        for entry in self._in_order(keep_bytes):
            left = self.measure()
            if left <= keep_bytes:
                break
            self._remove_tree(entry, in_use)
        return max(0, before - self.measure())

    def _in_order(self, keep_bytes: int) -> list[EnvironmentInfo]:
        """All trees, what goes first at the beginning."""
        oldest_first = list(reversed(self.entries()))
        kept = [Kept(one.size_bytes, frozenset(self._uses(one.key))) for one in oldest_first]
        return [oldest_first[place] for place in removal_order(kept, keep_bytes)]

    def _remove_cache(self) -> None:
        with trying(self.folders.lock("cache")) as free:
            if free:
                remove_folder(self.folders.cache)
                remove_folder(self.folders.state / "owners")
                self.folders.create()

    def _remove_tree(self, entry: EnvironmentInfo, in_use: Collection[str]) -> None:
        age = datetime.now(UTC) - entry.last_used
        if entry.key in in_use or age.total_seconds() < _JUST_HANDED_OUT_SECONDS:
            return
        with trying(self.folders.lock(entry.key)) as free:
            if free:
                self.clear(entry.key)

    def _remove_orphans(self) -> None:
        """Trees that no build has finished and none is building."""
        for folder in self.folders.trees.iterdir():
            if not self._marker(folder.name).exists():
                with trying(self.folders.lock(folder.name)) as free:
                    if free and not self._marker(folder.name).exists():
                        remove_folder(folder)

    def _resolution(self, key: str) -> Path:
        return self.folders.resolutions / f"{key}.json"

    def _marker(self, key: str) -> Path:
        return self.folders.markers / f"{key}.json"


def remove_folder(folder: Path) -> None:
    """Remove it whatever modes its folders have. Does nothing when it is gone."""
    if not folder.exists():
        return
    for root, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(root) / name
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)


def _sizes(folders: Iterable[Path]) -> dict[tuple[int, int], int]:
    """Bytes on disk by file: device and inode."""
    found: dict[tuple[int, int], int] = {}
    stack = [str(folder) for folder in folders if folder.is_dir()]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    found[status.st_dev, status.st_ino] = status.st_blocks * 512
                    if stat.S_ISDIR(status.st_mode):
                        stack.append(entry.path)
        except FileNotFoundError:
            continue  # a build moved it meanwhile
    return found
