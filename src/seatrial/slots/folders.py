"""The folders of a slot on the worker's machine, and the harness that containers mount."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from seatrial.domain.data_folder import make_short_folder, short_folder
from seatrial.domain.errors import NoCapacity

_LONGEST_BELOW = len(f"slots/{'s' * 40}/door/gateway.sock")
"""The longest path of a socket below a worker's folder; a slot's name has at most 40 characters."""


def slots_folder(state: Path) -> Path:
    """Where a worker with that folder keeps its slots: a short path, for their sockets.

    Raises: SetupFailed.
    """
    return short_folder(state, _LONGEST_BELOW) / "slots"


@dataclass(frozen=True)
class SlotFolders:
    """Where one slot keeps its sockets and its session.

    Only `door` is mounted in the container (read-only). The session key beside it is what lets
    the next worker of this machine adopt the container, and is readable by the worker alone.
    """

    root: Path

    @property
    def door(self) -> Path:
        """The folder that the container sees."""
        return self.root / "door"

    @property
    def channel_socket(self) -> Path:
        """The socket between harness and worker."""
        return self.door / "channel.sock"

    @property
    def gateway_socket(self) -> Path:
        """The socket of the container's one way out."""
        return self.door / "gateway.sock"

    @property
    def claim(self) -> Path:
        """The single-use token with which process 1 claims the channel."""
        return self.door / "claim"

    @property
    def session(self) -> Path:
        """The session key that the claim was traded for."""
        return self.root / "session"

    def create(self) -> str:
        """Make the folders and a claim token, which is returned."""
        make_short_folder(self.root.parent.parent)
        # Other local users must not get here: only the door is mounted, and the engine needs no
        # way to it. The container's users may pass through the door, but list nothing.
        self.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.mkdir(mode=0o700)
        self.door.mkdir()
        self.door.chmod(0o711)
        token = secrets.token_urlsafe(32)
        self.claim.write_text(token)
        self.claim.chmod(0o644)
        return token

    def write_session(self, key: str) -> None:
        """Keep the session key before the harness is told of it: whole or not at all."""
        write_private(self.session, key)

    def read_session(self) -> str | None:
        """The session key; None when the channel was never claimed."""
        try:
            return self.session.read_text() or None
        except FileNotFoundError:
            return None

    def remove(self) -> None:
        """Remove everything. Does nothing when it is gone."""
        shutil.rmtree(self.root, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that this user alone may read: whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)


@contextmanager
def disk_errors() -> Generator[None]:
    """Raise NoCapacity when the machine's disk is full; other troubles are not expected here."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise NoCapacity(
            f"The machine's disk is full: {error}", hint="Free some disk space."
        ) from error


def harness_folder(state: Path) -> Path:
    """A copy of the harness that every container may read, named after its content.

    The copy keeps running tests apart from an upgrade of the installed package. Safe to call
    from several processes at once.
    """
    target = state / "harness" / harness_digest()
    if not target.exists():
        _publish(harness_files(), target)
    return target


def harness_digest() -> str:
    """Names the harness of this process by its content."""
    digest = hashlib.sha256()
    for name, content in harness_files().items():
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


@functools.cache
def harness_files() -> dict[str, bytes]:
    """The harness as it is when this is first called: the one whose frames this process reads.

    A package that is upgraded under a running worker changes nothing for it.
    """
    root = resources.files("seatrial.harness")
    found: dict[str, bytes] = {}
    stack = [("harness", root)]
    while stack:
        prefix, folder = stack.pop()
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name != "__pycache__":
                stack.append((f"{prefix}/{entry.name}", entry))
            elif entry.name.endswith(".py"):
                found[f"{prefix}/{entry.name}"] = entry.read_bytes()
    return dict(sorted(found.items()))


def _publish(files: dict[str, bytes], target: Path) -> None:
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        for name, content in files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        try:
            draft.rename(target)
        except OSError:
            # Another process may have been first: its copy has the same content by name.
            if not target.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
