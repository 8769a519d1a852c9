"""Installed packages that do not fit each other: what to say of them. Pure.

Names and versions are claims of the agent's process: they count in a strict form only.
"""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from .advice import in_command
from .import_names import distribution_of
from .requests import TestRequest

_INSTALLED = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?) ([0-9][A-Za-z0-9.+!_-]{0,60})", re.ASCII
)
_LINE = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?)(?:\[[A-Za-z0-9,._ -]{0,99}\])?"
    r" ?[<>=!~][A-Za-z0-9.,<>=!~*+ ]{1,99}",
    re.ASCII,
)

Made = tuple[str, str, str]
"""Code, message and advice."""


def lacks(request: TestRequest, subject: str, said: str) -> Made:
    """`installed: name` or `installed: name < importer`: a version that lacks what is imported."""
    installed, _, rest = subject.partition(": ")
    name, _, importer = rest.partition(" < ")
    other, own = _INSTALLED.fullmatch(importer), _INSTALLED.fullmatch(installed)
    if other is not None and own is not None:
        return _pair(request, own, other, name, said)
    package = installed.partition(" ")[0]
    return (
        "dependencies.version_mismatch",
        f"{installed[:120]} is installed; it has no {name[:200]!r}: {said[:300]}",
        f"Require a version of {in_command(package)} that has {name[:100]!r} (installed: "
        f"{installed[:120]}), or change the import to what this version offers.",
    )


def _pair(
    request: TestRequest, own: re.Match[str], other: re.Match[str], name: str, said: str
) -> Made:
    message = (
        f"{other[0]} and {own[0]} do not fit each other: {other[1]} imports {name[:200]!r}, which "
        f"{own[1]} {own[2]} does not have. {said[:300]}"
    )
    lines = _with_versions(request.requirements, {own[1], other[1]})
    if lines:
        names = " and ".join(_name(line) for line in lines)
        shown = " and ".join(f"`{line}`" for line in lines)
        to_do = f"Write {names} without a version in place of {shown}: then versions that fit are "
        to_do += "chosen."
    else:
        to_do = (
            f"Add `{own[1]}<{own[2]}` to the requirements, or another version of {other[1]} "
            f"(installed: {other[2]})."
        )
    return "dependencies.version_mismatch", message, to_do


def needs_module(request: TestRequest, subject: str, said: str) -> Made | None:
    """`module < importer`: a module that an installed package imports and does not bring along."""
    module, _, importer = subject.partition(" < ")
    package, found = distribution_of(module), _INSTALLED.fullmatch(importer)
    if not package or found is None:
        return None
    return (
        "dependencies.incomplete",
        f"{importer} imports {module[:100]!r}, which it does not bring along: {said[:300]}",
        f"Add {package!r} to the requirements, then run again.",
    )


def package_of(subject: str) -> str:
    """The package to add for the subject of `needs_module`."""
    return distribution_of(subject.partition(" < ")[0])


def _with_versions(requirements: str, names: set[str]) -> list[str]:
    """The lines of these packages that name a version, without comments and markers."""
    wanted = {canonicalize_name(name) for name in names}
    lines = (re.split(r"\s#|;|\s--", line)[0].strip() for line in requirements.splitlines())
    return [
        line for line in lines if _LINE.fullmatch(line) and canonicalize_name(_name(line)) in wanted
    ]


def _name(line: str) -> str:
    return re.split(r"[\[<>=!~ ]", line, maxsplit=1)[0]
