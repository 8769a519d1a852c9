"""Collects what a test is sent: agent.py, the local modules it imports, and what is named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.validation.paths import AGENT_FILE, MAX_CODE_BYTES, MAX_FILES

from .decoding import UndecodableError, decode_file, decode_requirements
from .ignored import is_ignored
from .imports import Imported, files_of, imports_of
from .project import Project, agent_file, project_of

_NEVER_FOLDERS = frozenset({"__pycache__", "node_modules"})

_IGNORED = "It is ignored by .gitignore; name it with --file to send it."


@dataclass
class Collected:
    """What is sent: texts by name, where each came from, and what was left out and why."""

    files: dict[str, str] = field(default_factory=dict[str, str])
    origins: dict[str, Path] = field(default_factory=dict[str, Path])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    file: str = AGENT_FILE
    """The name that the agent's own file is sent under."""

    @property
    def size(self) -> int:
        """Bytes of all texts."""
        return sum(len(text.encode(errors="surrogatepass")) for text in self.files.values())


class _Unfit(Exception):
    """A file that is never sent; the message says why."""


class _Clash(Exception):
    """The agent's file imports another agent.py, so it keeps its own name."""


def collect(agent: Path, named: Sequence[Path] = ()) -> Collected:
    """The agent's file, local modules that the code imports, their data, and the named files.

    The agent's file is sent as `agent.py`, or by its path below the project's root where its
    imports begin there. `named` are files or folders; inside the root they keep their path
    relative to it, elsewhere the relative path that was given. Never sent: hidden files (`.env`),
    binary files, what lies outside the root through links; nor, unless it is named itself, what
    .gitignore excludes. InvalidRequest when a file that was named itself cannot be sent; a file
    that a folder or an import brought along is skipped.
    """
    return collect_project(project_of(agent_file(agent)[0]), named)


def collect_project(project: Project, named: Sequence[Path] = ()) -> Collected:
    """The same as `collect`, from a project that is known."""
    try:
        return _collected(project, named)
    except _Clash:
        return _collected(replace(project, file=project.agent.name), named)


def _collected(project: Project, named: Sequence[Path]) -> Collected:
    collector = _Collector(project)
    collector.add_agent()
    for one in named:
        collector.add_named(one)
    collector.add_imported()
    collector.add_data()
    return collector.found


class _Collector:
    def __init__(self, project: Project) -> None:
        self.found = Collected(file=project.file or AGENT_FILE)
        self._agent, self._root, self._file = project.agent, project.root, project.file
        self._real_root = self._root.resolve()
        self._bytes = 0

    def add_agent(self) -> None:
        """The agent's own file."""
        try:
            self._add(self.found.file, self._agent, within=None)
        except _Unfit as unfit:
            raise _refused(str(self._agent), str(unfit)) from unfit

    def add_named(self, path: Path) -> None:
        """A file or a folder of the user's choice."""
        name = self._name_of(path)
        if any(_is_hidden(part) for part in name.parts):
            raise _refused(str(path), "Hidden files are never sent.", "hidden")
        within = self._real_root if self._is_inside(path) else Path.cwd().resolve()
        if path.is_dir():
            for file in self._walk(path, name):
                self._try(str(name / file.relative_to(path).as_posix()), file, within)
        elif path.is_file():
            try:
                self._add(str(name), path, within)
            except _Unfit as unfit:
                raise _refused(str(path), str(unfit)) from unfit
        else:
            raise _refused(str(path), "There is no such file or folder.", "missing")

    def add_imported(self) -> None:
        """Local modules, from every Python file that is sent, until nothing new is found."""
        waiting = list(self.found.files)
        while waiting:
            name = waiting.pop(0)
            if name.endswith(".py"):
                waiting += self._imported_by(name)

    def _imported_by(self, name: str) -> list[str]:
        new: list[str] = []
        for imported in imports_of(self.found.files[name]):
            for file in self._files_of(imported, name):
                sent_as = file.relative_to(self._root).as_posix()
                if sent_as == self.found.file and file.name != self._agent.name:
                    raise _Clash
                if sent_as not in self.found.files and self._try(sent_as, file, self._real_root):
                    new.append(sent_as)
        return new

    def _files_of(self, imported: Imported, name: str) -> list[Path]:
        """From the first folder that has the module; the container searches in the same order."""
        if imported.level:
            return list(files_of(imported, self._root, Path(name)))
        bases = (self._root, self._root / "src", self._package_base(), self._agent.parent)
        found = (list(files_of(imported, base, Path(name))) for base in bases)
        return next((files for files in found if files), list[Path]())

    def _package_base(self) -> Path:
        here = self._agent.parent
        while here != self._root and (here / "__init__.py").is_file():
            here = here.parent
        return here

    def add_data(self) -> None:
        """What lies in the folders of modules that are sent: prompts, templates, tables.

        Of the agent's own package every file, since it may load modules by name; of others all
        but Python files. What does not fit any more is left out.
        """
        own = self._own_folder()
        for folder in self._folders_of_modules(own):
            name = PurePosixPath(folder.relative_to(self._root).as_posix())
            for file in self._walk(folder, name):
                if file.suffix != ".py" or folder == own:
                    sent_as = str(name / file.relative_to(folder).as_posix())
                    self._try(sent_as, file, self._real_root, brought=True)

    def _own_folder(self) -> Path | None:
        """The agent's outermost package, or its folder; None where that is the root itself."""
        if self._file is None or self._agent.parent == self._root:
            return None
        here = self._agent.parent
        while here.parent != self._root and (here.parent / "__init__.py").is_file():
            here = here.parent
        return here

    def _folders_of_modules(self, own: Path | None) -> list[Path]:
        folders = {own} if own else set[Path]()
        for name, origin in self.found.origins.items():
            parts = PurePosixPath(name).parts
            depth = 2 if parts[0] == "src" else 1
            folder = self._root.joinpath(*parts[:depth])
            is_module = name.endswith(".py") and len(parts) > depth
            if not is_module or not origin.is_relative_to(folder):
                continue
            if own is None or not own.is_relative_to(folder):
                folders.add(folder)
        return sorted(folders)

    def _walk(self, folder: Path, name: PurePosixPath) -> Iterator[Path]:
        """Files below the folder in a fixed order, without hidden and ignored ones and caches."""
        for place, folders, files in os.walk(folder):
            here = Path(place)
            kept = sorted(f for f in folders if not _is_hidden(f) and f not in _NEVER_FOLDERS)
            folders[:] = [one for one in kept if not self._leaves_out(here / one, folder, name)]
            for file in sorted(files):
                path = here / file
                if not _is_hidden(file) and not self._leaves_out(path, folder, name):
                    yield path

    def _leaves_out(self, path: Path, folder: Path, name: PurePosixPath) -> bool:
        """Whether .gitignore excludes what a folder brings along; that is noted then."""
        sent_as = str(name / path.relative_to(folder).as_posix())
        if sent_as in self.found.files or not is_ignored(Path(os.path.normpath(path.absolute()))):
            return False
        if path.suffix != ".pyc":
            self.found.skipped[sent_as] = _IGNORED
        return True

    def _is_inside(self, path: Path) -> bool:
        return Path(os.path.normpath(path.absolute())).is_relative_to(self._root)

    def _name_of(self, path: Path) -> PurePosixPath:
        """The name that a named path is sent under."""
        whole = Path(os.path.normpath(path.absolute()))
        if whole.is_relative_to(self._root):
            return PurePosixPath(whole.relative_to(self._root).as_posix())
        given = Path(os.path.normpath(path))
        if given.is_absolute() or ".." in given.parts:
            message = f"It is neither in the agent's folder ({self._root}) nor below this one."
            raise _refused(str(path), message)
        return PurePosixPath(given.as_posix())

    def _try(self, name: str, path: Path, within: Path, *, brought: bool = False) -> bool:
        try:
            self._add(name, path, within, brought=brought)
        except _Unfit as unfit:
            self.found.skipped[name] = str(unfit)
            return False
        return True

    def _add(self, name: str, path: Path, within: Path | None, *, brought: bool = False) -> None:
        origin = self.found.origins.get(name)
        if origin is not None:
            if origin.resolve() != path.resolve():
                raise _Unfit(f"{origin} is already sent under this name.")
            return
        if len(self.found.files) >= MAX_FILES:
            if brought:
                raise _Unfit(f"More than {MAX_FILES:,} files.")
            raise _refused(name, f"More than {MAX_FILES:,} files; name fewer.", "too_many")
        self.found.files[name] = self._text(path, within, brought=brought)
        self.found.origins[name] = path

    def _text(self, path: Path, within: Path | None, *, brought: bool) -> str:
        if within is not None:
            _check_place(path.resolve(), within)
        text = _read(path)
        size = len(text.encode())
        if self._bytes + size > MAX_CODE_BYTES:
            message = "With it the files are larger than 1 MB in all, which is the limit."
            if brought:
                raise _Unfit(message)
            raise _refused(str(path), message, "too_long")
        self._bytes += size
        return text


def _check_place(real: Path, within: Path) -> None:
    """A link must not lead out of the folder, nor to a hidden file inside it."""
    if not real.is_relative_to(within):
        raise _Unfit("It is a link to a place outside the folder.")
    if any(_is_hidden(part) for part in real.relative_to(within).parts):
        raise _Unfit("It is a link to a hidden file; these are never sent.")


def text_of(path: Path) -> str:
    """The text of one named file. InvalidRequest when it cannot be sent."""
    try:
        return _read(path)
    except _Unfit as unfit:
        raise _refused(str(path), str(unfit)) from unfit


def requirements_of(path: Path) -> str:
    """The text of a requirements file, as pip reads it. InvalidRequest when it is none."""
    try:
        return decode_requirements(_read_bytes(path))
    except (_Unfit, UndecodableError) as unfit:
        problem = FieldProblem("requirements", f"{path}: {unfit}", "not_utf8")
        raise InvalidRequest((problem,)) from unfit


def _read(path: Path) -> str:
    try:
        return decode_file(_read_bytes(path))
    except UndecodableError as error:
        raise _Unfit(str(error)) from error


def _read_bytes(path: Path) -> bytes:
    """At most as much as may be sent in all."""
    if not path.is_file():
        raise _Unfit("There is no such regular file.")
    try:
        with path.open("rb") as file:
            return file.read(MAX_CODE_BYTES + 1)
    except OSError as error:
        raise _Unfit(f"It cannot be read ({error.strerror}).") from error


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name not in {".", ".."}


def _refused(path: str, message: str, code: str = "invalid") -> InvalidRequest:
    return InvalidRequest((FieldProblem("files", message, code, file=path),))
