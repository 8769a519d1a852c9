"""The agent's copy of its files, in its working directory, and the state of its disks."""

import os
import shutil
from dataclasses import dataclass

ROOT = "/agent"
WRITABLE = ("/tmp", "/home/agent", ROOT)  # noqa: S108 - the container's own


def write_files(files: dict[str, str], root: str = ROOT, uid: int = 0) -> None:
    """Write texts by relative path; they belong to `uid` where this process is root.

    Raises ValueError for a path that leads out of `root`.
    """
    texts = {os.path.join(root, *_parts(name)): text for name, text in files.items()}
    if os.geteuid() != 0 or uid == 0:
        _write_all(texts)
        return
    # Engines give a mount point the mode of the folder below it, whatever was asked for.
    os.chmod(root, 0o1777)  # noqa: S103 - the container's own, as /tmp
    _empty(root)
    _write_as(uid, texts)


def _empty(folder: str) -> None:
    """Remove what Podman copies into a mount from the image's folder: it belongs to root."""
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _write_as(uid: int, texts: dict[str, str]) -> None:
    """Write in a separate process: a change of user clears a process's parent-death signal."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            _write_all(texts)
            os.write(writer, b"-")
        except OSError as error:
            os.write(writer, str(error).encode("utf-8", "replace")[:4096])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    os.waitpid(pid, 0)
    if said != "-":
        raise OSError(said or "the files could not be written")


def _write_all(texts: dict[str, str]) -> None:
    for path, text in texts.items():
        _write(path, text)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o644), "w", encoding="utf-8", newline="") as file:
        file.write(text)


@dataclass(frozen=True)
class Space:
    """How much of a writable folder is taken. `full` names what ran out: `bytes`, `files`, ``."""

    folder: str = ""
    used_bytes: int = 0
    used_files: int = 0
    most_files: int = 0
    full: str = ""


def fullest(folders: tuple[str, ...] = WRITABLE) -> Space:
    """The first writable folder of which less than one percent is free; an empty Space if none."""
    return next((space for space in map(_space, folders) if space.full), Space())


def _space(folder: str) -> Space:
    try:
        status = os.statvfs(folder)
    except OSError:
        return Space()
    full = ""
    if status.f_files > 0 and status.f_favail * 100 < status.f_files:
        full = "files"
    if status.f_blocks > 0 and status.f_bavail * 100 < status.f_blocks:
        full = "bytes"
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    return Space(folder, used, status.f_files - status.f_ffree, status.f_files, full)


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part != "."]
    if not parts or name.startswith("/") or "\0" in name or {"", ".."} & set(parts):
        raise ValueError(f"not a safe relative path: {name[:200]!r}")
    return parts
