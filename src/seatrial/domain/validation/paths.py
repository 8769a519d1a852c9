"""The files of a request: where they may be, how many, how large, and agent.py among them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from seatrial.domain.errors import FieldProblem

from .texts import is_utf8

AGENT_FILE = "agent.py"
MAX_FILES = 1000
MAX_PATH_BYTES = 255
MAX_CODE_BYTES = 1_000_000

# Control, format (bidirectional overrides), line and paragraph separators: none is seen by
# somebody who reads the path, and all of them can make it look like another one.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})


def agent_file(entry_point: str | None) -> str:
    """The file that holds the agent: `agent.py`, or the one that the entry point names."""
    named = (entry_point or "").partition(":")[0]
    return named if named.endswith(".py") else AGENT_FILE


def path_problems(
    files: Mapping[str, str], entry_point: str | None = None
) -> Iterator[FieldProblem]:
    """What is wrong with the names, the number and the sizes of the files.

    An entry point that names another file than agent.py is checked by `entry_point_problems`.
    """
    if AGENT_FILE not in files and agent_file(entry_point) == AGENT_FILE:
        yield FieldProblem(
            "files", "There is no agent.py among the files.", "missing", file=AGENT_FILE
        )
    if len(files) > MAX_FILES:
        yield FieldProblem(
            "files", f"{len(files):,} files; the limit is {MAX_FILES:,}.", "too_many"
        )
        return
    for path in files:
        problem = _path_problem(path)
        if problem:
            message, code = problem
            yield FieldProblem("files", message, code, file=printable(path))
    yield from _clashes(files)
    yield from _size_problems(files)


def printable(path: str) -> str:
    """The path, or another foreign text, as it can be shown: escaped, at most 300 characters."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path[:300])
    return shown + ("…" if len(path) > 300 else "")


def _path_problem(path: str) -> tuple[str, str] | None:
    if not is_utf8(path):
        return "The path is not valid UTF-8.", "not_utf8"
    if not path:
        return "A path is empty.", "invalid_path"
    if len(path.encode()) > MAX_PATH_BYTES:
        return f"The path is too long; the limit is {MAX_PATH_BYTES} bytes.", "too_long"
    if any(unicodedata.category(c) in _INVISIBLE for c in path):
        return "The path holds control or invisible characters.", "invalid_path"
    if "\\" in path:
        return "The path holds a backslash; parts are separated by '/'.", "invalid_path"
    if path.startswith("/") or path[1:2] == ":":
        return "The path is absolute; paths are relative to the agent's folder.", "invalid_path"
    if ".." in path.split("/"):
        return "The path leaves the agent's folder with '..'.", "invalid_path"
    if any(part in {"", "."} for part in path.split("/")):
        return "The path holds an empty part or a '.' part.", "invalid_path"
    return None


def _same(path: str) -> str:
    """What the path is on a file system that ignores case and Unicode composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _clashes(paths: Iterable[str]) -> Iterator[FieldProblem]:
    """Paths that are one file, or a file and a folder, on some file system."""
    seen: dict[str, str] = {}
    folders: set[str] = set()
    for path in paths:
        if len(path) > MAX_PATH_BYTES:
            continue  # refused already, and all its folders together would have its square's size
        same = _same(path)
        if same in seen:
            message = f"The path is the same as {printable(seen[same])!r} where case is ignored."
            yield FieldProblem("files", message, "duplicate", file=printable(path))
        seen.setdefault(same, path)
        parts = same.split("/")
        folders.update("/".join(parts[:count]) for count in range(1, len(parts)))
    for same in seen.keys() & folders:
        message = "The path is a file and also the folder of another file."
        yield FieldProblem("files", message, "duplicate", file=printable(seen[same]))


def _size_problems(files: Mapping[str, str]) -> Iterator[FieldProblem]:
    total = 0
    for path, text in files.items():
        total += len(text.encode(errors="surrogatepass"))
        if not is_utf8(text):
            message = "The file is not valid UTF-8 text."
            yield FieldProblem("files", message, "not_utf8", file=printable(path))
        elif "\0" in text and not path.endswith(".py"):
            message = "The file holds a null character; only text files can be sent."
            yield FieldProblem("files", message, "control_character", file=printable(path))
    if total > MAX_CODE_BYTES:
        message = (
            f"The files have {total:,} bytes in all; the limit is 1 MB ({MAX_CODE_BYTES:,} bytes)."
        )
        yield FieldProblem("files", message, "too_long")
