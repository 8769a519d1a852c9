"""The packages that a project needs: requirements.txt, else what its metadata declares."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.validation.paths import MAX_CODE_BYTES

from .project import Project, ancestors

REQUIREMENTS_FILE = "requirements.txt"


@dataclass(frozen=True)
class Dependencies:
    """The text of a requirements.txt, and the file that it comes from.

    `left_out` are entries that no requirements.txt of ours can say, each with the reason.
    """

    text: str
    path: Path
    left_out: tuple[str, ...] = ()


def dependencies_of(project: Project) -> Dependencies | None:
    """What the nearest folder declares, from the agent's own up to the project's; None if none.

    In each folder requirements.txt counts before pyproject.toml and setup.cfg. InvalidRequest
    when the file that counts cannot be read.
    """
    from .collect import requirements_of

    for folder in _folders(project):
        path = folder / REQUIREMENTS_FILE
        if path.is_file():
            return Dependencies(requirements_of(path), path)
        for name, read in (("pyproject.toml", _pyproject), ("setup.cfg", _setup_cfg)):
            found = read(folder / name) if (folder / name).is_file() else None
            if found is not None:
                return found
    return None


def _folders(project: Project) -> Iterator[Path]:
    """Up to the root, and further to the top of a repository or the current folder."""
    folder = project.agent.parent
    yield folder
    above = list(ancestors(folder))
    tops = [here for here in above if (here / ".git").exists() or here == Path.cwd()]
    last = min((project.root, *tops), key=lambda path: len(path.parts))
    for here in above:
        if not here.is_relative_to(last):
            return
        yield here


def _pyproject(path: Path) -> Dependencies | None:
    try:
        with path.open("rb") as file:
            document = tomllib.loads(file.read(MAX_CODE_BYTES).decode("utf-8"))
    except OSError as error:
        raise _unreadable(path, error.strerror or "it cannot be opened") from error
    except ValueError as error:
        raise _unreadable(path, str(error)) from error
    declared = _table(document, "project").get("dependencies")
    if isinstance(declared, list):
        texts = [one for one in cast("list[object]", declared) if isinstance(one, str)]
        return Dependencies("".join(f"{text}\n" for text in texts), path)
    poetry = _table(_table(document, "tool"), "poetry").get("dependencies")
    return _of_poetry(cast("dict[str, Any]", poetry), path) if isinstance(poetry, dict) else None


def _table(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _setup_cfg(path: Path) -> Dependencies | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with path.open("rb") as file:
            parser.read_string(file.read(MAX_CODE_BYTES).decode("utf-8"))
    except (OSError, ValueError, configparser.Error) as error:
        raise _unreadable(path, type(error).__name__) from error
    text = parser.get("options", "install_requires", fallback="").strip()
    return Dependencies(f"{text}\n", path) if text else None


def _of_poetry(entries: dict[str, Any], path: Path) -> Dependencies:
    lines: list[str] = []
    left_out: list[str] = []
    for name, value in entries.items():
        if name == "python":
            continue
        line = _requirement(name, value)
        if line is None:
            left_out.append(name)
        elif line:
            lines.append(f"{line}\n")
    return Dependencies("".join(lines), path, tuple(left_out))


def _requirement(name: str, value: object) -> str | None:
    """One of Poetry's entries; empty for an optional one, None where it is no version."""
    if isinstance(value, str):
        return f"{name}{_specifier(value)}"
    if not isinstance(value, dict):
        return None
    entry = cast("dict[str, Any]", value)
    version = entry.get("version")
    if entry.get("optional") is True:
        return ""
    if not isinstance(version, str):
        return None
    extras = ",".join(_texts(entry.get("extras")))
    markers = entry.get("markers")
    marker = f" ; {markers}" if isinstance(markers, str) else ""
    return f"{name}{f'[{extras}]' if extras else ''}{_specifier(version)}{marker}"


def _texts(value: object) -> Iterable[str]:
    if not isinstance(value, list):
        return ()
    return (one for one in cast("list[object]", value) if isinstance(one, str))


def _specifier(text: str) -> str:
    """Poetry's version constraint in the words of PEP 440."""
    return ",".join(filter(None, (_one_specifier(part.strip()) for part in text.split(","))))


def _one_specifier(text: str) -> str:
    if text in {"", "*"}:
        return ""
    if text[0] in "^~" and not text.startswith("~="):
        version = text[1:].strip()
        numbers = [int(number) for number in re.findall(r"\d+", version)[:3]] or [0]
        return f">={version},<{_next(numbers, caret=text[0] == '^')}"
    return text.replace(" ", "") if text[0] in "<>=!~" else f"=={text}"


def _next(numbers: list[int], *, caret: bool) -> str:
    """The first version that a caret (same leading number) or a tilde leaves out."""
    if caret:
        place = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        place = min(1, len(numbers) - 1)
    return ".".join(str(number) for number in [*numbers[:place], numbers[place] + 1])


def _unreadable(path: Path, reason: str) -> InvalidRequest:
    message = f"It cannot be read ({reason}); name the packages with --requirements FILE."
    return InvalidRequest((FieldProblem("requirements", message, file=str(path)),))
