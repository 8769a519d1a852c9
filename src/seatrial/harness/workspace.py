"""The agent's files, written where the agent can only read them, and the state of its disks."""

import os

ROOT = "/agent"
WRITABLE = ("/tmp", "/home/agent")  # noqa: S108 - the container's own


def write_files(files: dict[str, str], root: str = ROOT) -> None:
    """Write texts by relative path. Raises ValueError for a path that leads out of `root`."""
    for name, text in files.items():
        path = os.path.join(root, *_parts(name))
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o644), "w", encoding="utf-8", newline="") as file:
            file.write(text)


def disk_full(folders: tuple[str, ...] = WRITABLE) -> bool:
    """Whether less than one percent of a writable folder's blocks or inodes are free."""
    return any(_is_full(folder) for folder in folders)


def _is_full(folder: str) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    blocks = status.f_blocks > 0 and status.f_bavail * 100 < status.f_blocks
    return blocks or (status.f_files > 0 and status.f_favail * 100 < status.f_files)


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part != "."]
    if not parts or name.startswith("/") or "\0" in name or {"", ".."} & set(parts):
        raise ValueError(f"not a safe relative path: {name[:200]!r}")
    return parts
