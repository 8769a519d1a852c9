"""Collects what a test is sent: agent.py, the local modules it imports, and what is named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.validation.paths import AGENT_FILE, MAX_CODE_BYTES, MAX_FILES

from .decoding import UndecodableError, decode_file, decode_requirements
from .imports import files_of, imports_of

_NEVER_FOLDERS = frozenset({"__pycache__", "node_modules"})

_TWO_AGENTS = "{0} is sent as agent.py, but {1} imports another agent.py; rename one of them."


@dataclass
class Collected:
    """What is sent: texts by name, where each came from, and what was left out and why."""

    files: dict[str, str] = field(default_factory=dict[str, str])
    origins: dict[str, Path] = field(default_factory=dict[str, Path])
    skipped: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def size(self) -> int:
        """Bytes of all texts."""
        return sum(len(text.encode(errors="surrogatepass")) for text in self.files.values())


class _Unfit(Exception):
    """A file that is never sent; the message says why."""


def collect(agent: Path, named: Sequence[Path] = ()) -> Collected:
    """The agent's file as `agent.py`, local modules that the code imports, and the named files.

    `named` are files or folders; inside the agent's folder they keep their path relative to it,
    elsewhere the relative path that was given. Never sent: hidden files (`.env`), binary files,
    what lies outside the agent's folder through links. InvalidRequest when a file that was named
    itself cannot be sent; a file that a folder or an import brought along is skipped.
    """
    path = _agent_file(agent)
    collector = _Collector(path)
    collector.add_agent()
    for one in named:
        collector.add_named(one)
    collector.add_imported()
    return collector.found


def _agent_file(path: Path) -> Path:
    if path.is_dir():
        path = path / AGENT_FILE
    if not path.is_file():
        raise _refused(str(path), "There is no such file.", "missing")
    if path.suffix != ".py":
        raise _refused(str(path), "The agent is a Python file: its name ends in .py.")
    return path


class _Collector:
    def __init__(self, agent: Path) -> None:
        self.found = Collected()
        self._agent = agent
        self._root = Path(os.path.normpath(agent.absolute())).parent
        self._real_root = self._root.resolve()
        self._bytes = 0

    def add_agent(self) -> None:
        try:
            self._add(AGENT_FILE, self._agent, within=None)
        except _Unfit as unfit:
            raise _refused(str(self._agent), str(unfit)) from unfit

    def add_named(self, path: Path) -> None:
        """A file or a folder of the user's choice."""
        name = self._name_of(path)
        if any(_is_hidden(part) for part in name.parts):
            raise _refused(str(path), "Hidden files are never sent.", "hidden")
        within = self._real_root if self._is_inside(path) else Path.cwd().resolve()
        if path.is_dir():
            for file in _walk(path):
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
            for file in files_of(imported, self._root, Path(name)):
                sent_as = file.relative_to(self._root).as_posix()
                if sent_as == AGENT_FILE and file.name != self._agent.name:
                    raise _refused(str(file), _TWO_AGENTS.format(self._agent.name, name))
                if sent_as not in self.found.files and self._try(sent_as, file, self._real_root):
                    new.append(sent_as)
        return new

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

    def _try(self, name: str, path: Path, within: Path) -> bool:
        try:
            self._add(name, path, within)
        except _Unfit as unfit:
            self.found.skipped[name] = str(unfit)
            return False
        return True

    def _add(self, name: str, path: Path, within: Path | None) -> None:
        origin = self.found.origins.get(name)
        if origin is not None:
            if origin.resolve() != path.resolve():
                raise _Unfit(f"{origin} is already sent under this name.")
            return
        text = self._text(path, within)
        self.found.files[name] = text
        self.found.origins[name] = path
        if len(self.found.files) > MAX_FILES:
            raise _refused(name, f"More than {MAX_FILES:,} files; name fewer.", "too_many")

    def _text(self, path: Path, within: Path | None) -> str:
        if within is not None:
            _check_place(path.resolve(), within)
        text = _read(path)
        self._bytes += len(text.encode())
        if self._bytes > MAX_CODE_BYTES:
            message = "With it the files are larger than 1 MB in all, which is the limit."
            raise _refused(str(path), message, "too_long")
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


def _walk(folder: Path) -> Iterator[Path]:
    """Files below the folder in a fixed order, without hidden ones and caches."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not _is_hidden(f) and f not in _NEVER_FOLDERS)
        yield from (Path(place, file) for file in sorted(files) if not _is_hidden(file))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name not in {".", ".."}


def _refused(path: str, message: str, code: str = "invalid") -> InvalidRequest:
    return InvalidRequest((FieldProblem("files", message, code, file=path),))
