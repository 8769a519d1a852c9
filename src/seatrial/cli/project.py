"""The project that an agent's file belongs to: its root, its entry point, its dependencies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.validation.paths import AGENT_FILE, MAX_CODE_BYTES

from .imports import Imported, files_of, imports_of

_SOURCES = "src"
_MAIN = "__main__.py"
_FILES_OF_FOLDERS = (AGENT_FILE, _MAIN, "main.py", "app.py")
_MOST_ANCESTORS = 12
_MOST_MODULES = 500


@dataclass(frozen=True)
class Project:
    """Where a test's files are sent from.

    `root` becomes the working directory. `file` is the agent's path below it; None where the
    agent needs nothing above its own folder: it is then sent as agent.py.
    """

    agent: Path
    root: Path
    file: str | None = None


def project_of(agent: Path) -> Project:
    """The project of an agent's file: its own folder, unless its imports begin further up.

    A relative import and one that resolves only in a folder above make that folder the root; the
    folder above `src` where a src layout is used. Only folders that no other user can write are
    considered. Nothing is run.
    """
    path = Path(os.path.normpath(agent.absolute()))
    base = _import_base(path)
    if base == path.parent:
        return Project(path, path.parent)
    root = base.parent if base.name == _SOURCES and _is_trusted(base.parent) else base
    return Project(path, root, path.relative_to(root).as_posix())


def agent_file(path: Path) -> tuple[Path, str | None]:
    """The Python file that is meant, and the name to call where it was given with it.

    `path` is a file, a folder, `file.py:name`, or the name of a module as `python -m` takes it.
    InvalidRequest when there is none, or when a folder holds several.
    """
    if path.is_dir():
        return _in_folder(path), None
    if path.is_file():
        if path.suffix != ".py":
            raise _refused(path, "The agent is a Python file: its name ends in .py.")
        return path, None
    head, colon, name = str(path).rpartition(":")
    file = Path(head) if colon and head.endswith(".py") else _module(head if colon else str(path))
    if file is None or not file.is_file() or (colon and not name.isidentifier()):
        raise _refused(path, "There is no such file.", "missing")
    return file, name if colon else None


def ancestors(folder: Path) -> Iterator[Path]:
    """The folders above that may belong to the same project, nearest first.

    They end below the home folder, at a repository's top, and where others may write.
    """
    home = Path.home()
    for here in (folder, *list(folder.parents)[:_MOST_ANCESTORS]):
        if here != folder:
            if here == home or not _is_trusted(here) or here.parent == here:
                return
            yield here
        if (here / ".git").exists():
            return


def shown(path: Path) -> str:
    """A path as it is named from the current folder."""
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)


def _in_folder(folder: Path) -> Path:
    for name in _FILES_OF_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    found = sorted(
        path
        for pattern in ("*", f"{_SOURCES}/*")
        for name in (AGENT_FILE, _MAIN)
        for path in folder.glob(f"{pattern}/{name}")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    agents = [path for path in found if path.name == AGENT_FILE] or found
    if len(agents) == 1:
        return agents[0]
    if agents:
        names = ", ".join(shown(path) for path in agents[:8])
        raise _refused(folder, f"Several agents are in this folder; name one of them: {names}.")
    names = ", ".join(_FILES_OF_FOLDERS)
    raise _refused(folder, f"None of {names} is in this folder; name the agent's file.", "missing")


def _module(name: str) -> Path | None:
    """The file of a module, as `python -m` finds it from the current folder."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    for base in (Path(), Path(_SOURCES)):
        path = base.joinpath(*parts)
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py")
        if (path / _MAIN).is_file():
            return path / _MAIN
    return None


def _import_base(agent: Path) -> Path:
    """The outermost folder from which the agent and what it imports are imported."""
    base = agent.parent
    above = list(ancestors(base))
    waiting, seen = [agent], {agent}
    while waiting and len(seen) < _MOST_MODULES:
        file = waiting.pop(0)
        for imported in imports_of(_text(file)):
            found, modules = _resolved(imported, file, agent, above)
            base = min(base, found, key=lambda folder: len(folder.parts))
            new = [module for module in modules if module not in seen]
            seen.update(new)
            waiting += new
    return base


def _resolved(
    imported: Imported, file: Path, agent: Path, above: list[Path]
) -> tuple[Path, list[Path]]:
    """The folder that must be the root or below it for this import, and the files it reads."""
    if not imported.level and imported.parts[0] in sys.stdlib_module_names:
        return agent.parent, []
    for base in _bases(imported, file, agent, above):
        importer = file.relative_to(base) if imported.level else Path(file.name)
        modules = list(files_of(imported, base, importer))
        if modules:
            return next(one for one in (base, *base.parents) if agent.is_relative_to(one)), modules
    return agent.parent, []


def _bases(imported: Imported, file: Path, agent: Path, above: list[Path]) -> Iterator[Path]:
    """The folders to search for an import, nearest first."""
    if not imported.level:
        yield agent.parent
        for top in above:
            yield from (top, top / _SOURCES)
        return
    package = file.parent
    for _ in range(imported.level - 1):
        package = package.parent
    while (package / "__init__.py").is_file() and (package.parent / "__init__.py").is_file():
        package = package.parent
    if package.is_relative_to(agent.parent) and package != agent.parent:
        yield agent.parent
    elif package.parent in above:
        yield package.parent


def _is_trusted(folder: Path) -> bool:
    """Whether the folder is the user's or the system's, and no other user may write in it."""
    user = getattr(os, "getuid", None)
    try:
        status = folder.stat()
    except OSError:
        return False
    return user is None or (status.st_uid in (user(), 0) and not status.st_mode & 0o002)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_CODE_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def _refused(path: Path, message: str, code: str = "invalid") -> InvalidRequest:
    return InvalidRequest((FieldProblem("files", message, code, file=str(path)),))
