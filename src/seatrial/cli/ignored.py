"""What a project's `.gitignore` files leave out. Reads the files; no git is needed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_MOST_BYTES = 100_000
_MOST_LEVELS = 40


def is_ignored(path: Path) -> bool:
    """Whether the last pattern that matches the path excludes it; its folders are not looked at.

    Each `.gitignore` between the repository's top (the path's folder where there is none) and the
    path counts, the nearest last.
    """
    is_folder = path.is_dir()
    ignored = False
    for folder in _folders(path.parent):
        name = path.relative_to(folder).as_posix()
        for pattern, only_folders, excludes in _patterns(folder):
            if (is_folder or not only_folders) and pattern.fullmatch(name):
                ignored = excludes
    return ignored


@cache
def _folders(folder: Path) -> tuple[Path, ...]:
    """From the repository's top, or the outermost folder with a .gitignore, to this one."""
    found: list[Path] = []
    for here in (folder, *list(folder.parents)[:_MOST_LEVELS]):
        found.append(here)
        if (here / ".git").exists():
            return tuple(reversed(found))
    return tuple(reversed([one for one in found if one == folder or _is_near(one, folder)]))


def _is_near(above: Path, folder: Path) -> bool:
    """Outside a repository only files in folders that follow each other without a gap count."""
    here = folder
    while here != above:
        if not (here / ".gitignore").is_file() and not (here.parent / ".gitignore").is_file():
            return False
        here = here.parent
    return True


@cache
def _patterns(folder: Path) -> tuple[tuple[re.Pattern[str], bool, bool], ...]:
    """Each pattern of a folder's file: what it matches, whether folders only, what it decides."""
    try:
        with (folder / ".gitignore").open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ()
    return tuple(_parsed(text))


def _parsed(text: str) -> Iterator[tuple[re.Pattern[str], bool, bool]]:
    for line in text.splitlines():
        pattern = _trimmed(line)
        excludes = not pattern.startswith("!")
        pattern = pattern if excludes else pattern[1:]
        if not pattern or pattern.startswith("#"):
            continue
        only_folders = pattern.endswith("/")
        pattern = pattern.rstrip("/")
        anchored = "/" in pattern
        if expression := _expression(pattern.lstrip("/")):
            prefix = "" if anchored else "(?:.*/)?"
            with contextlib.suppress(re.error):  # such a set matches nothing
                yield re.compile(prefix + expression, re.DOTALL), only_folders, excludes


def _trimmed(line: str) -> str:
    """Without the blanks at its end, but for one that a backslash keeps."""
    text = line.rstrip()
    return f"{text} " if text.endswith("\\") and len(text) < len(line) else text


def _expression(pattern: str) -> str:
    """A regular expression for git's wildcards."""
    parts: list[str] = []
    for token in re.findall(
        r"\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?[^\]/]{0,200}\]|\\.|.", pattern, flags=re.DOTALL
    ):
        parts.append(_translated(token))
    return "".join(parts)


def _translated(token: str) -> str:
    fixed = {"**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}
    if token in fixed:
        return fixed[token]
    if token.startswith("*"):
        return "[^/]*"
    if token.startswith("[") and len(token) > 2:
        negated = token[1] in "!^"
        inner = token[2 if negated else 1 : -1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[{'^/' if negated else ''}{inner.replace('^', chr(92) + '^')}]"
    return re.escape(token[1:] if token.startswith("\\") else token)
