"""The one line to change for requirements that cannot be installed, from uv's explanation. Pure.

Everything that is read here may be foreign (names and versions of packages): each is matched by
its form, and nothing else of the explanation becomes part of an advice.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from seatrial.domain.validation import SUPPORTED_PYTHONS

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_SPEC = r"(?:[<>=!~][A-Za-z0-9.,<>=!~*+]{0,99}[A-Za-z0-9*])?"
_END = r"(?=[\s,.]|$)"
_DEPENDS = re.compile(
    rf"(?<!\S)({_NAME}{_SPEC}) depends? on ({_NAME})(?:\[[^\]\s]{{1,99}}\])?({_SPEC}){_END}"
)
_REQUIRE = re.compile(rf"you require ({_NAME})(?:\[[^\]\s]{{1,99}}\])?({_SPEC}){_END}")
_AND = re.compile(rf"you require ({_NAME}{_SPEC}) and ({_NAME}{_SPEC}){_END}")
_CONCLUSION = re.compile(r"we can conclude that .*?(?=\. And because |\. \(\d+\)|$)")
_ABI_HINT = re.compile(r"wheels for `([^`]{1,200})`[^:\n]{0,200} ABI tags?: (.+)")
_PLATFORM_HINT = re.compile(
    r"Wheels are available for `([^`]{1,200})`[^:\n]{0,200} platforms?: (.+)"
)
_TAG = re.compile(r"`([A-Za-z0-9_.]{1,60})`")
_CPYTHON = re.compile(r"^cp3(\d{1,2})")
_CURRENT = re.compile(r"(?:current Python version \(|You require CPython )3\.(\d{1,2})")
_INDEX_AUTH = re.compile(
    r"An index(?: URL)? \((\S{1,300}?)\) .{0,80}?\b(401 Unauthorized|403 Forbidden)"
)

WINDOWS_ONLY = frozenset(
    {
        *("comtypes", "pypiwin32", "pywin32", "pywinauto", "pywinpty", "pythonnet", "winshell"),
        *("win32-setctime", "win-inet-pton", "windows-curses", "wincertstore", "wmi", "winrt"),
        *("pywin32-ctypes", "win-unicode-console", "pyreadline", "pyreadline3", "winsdk"),
    }
)
"""Packages for Windows alone: for those uv names another Python before it names the platform."""


@dataclass(frozen=True)
class Remedy:
    """What is wrong with the requirements, and the one thing to change. Empty: the usual text."""

    message: str = ""
    what_to_do: str = ""
    fix: dict[str, str | int] = field(default_factory=dict[str, str | int])


def facts(cause: str) -> str:
    """The explanation without what uv concluded from it."""
    return _CONCLUSION.sub("", cause)


def asked_by(cause: str, package: str) -> str:
    """The package that requires another one; empty when it is a line of the requirements."""
    name = name_of(package)
    said = facts(cause)
    if any(_same(name_of(line), name) for line in _lines(said)):
        return ""
    wanting = (found[1] for found in _DEPENDS.finditer(said) if _same(found[2], name))
    return next(wanting, "")


def _own_line(cause: str, package: str) -> str:
    """The requirements' own line for a package, as uv repeats it; else the package."""
    lines = (line for line in _lines(cause) if _same(name_of(line), name_of(package)))
    return next(lines, package)


def _lines(said: str) -> list[str]:
    """The lines of the requirements that an explanation speaks of."""
    one = [found[1] + found[2] for found in _REQUIRE.finditer(said)]
    pairs = [line for found in _AND.finditer(said) for line in (found[1], found[2])]
    return [line for line in (*one, *pairs) if line != "you"]


def name_of(package: str) -> str:
    """The name of `name==1.0`."""
    return re.split(r"[<>=!~\[ ]", package, maxsplit=1)[0]


def conflict(cause: str) -> Remedy:
    """One of the lines that contradict each other, and what to write instead."""
    said = facts(cause)
    found = _AND.search(said)
    if found and _same(name_of(found[1]), name_of(found[2])):
        return Remedy(what_to_do=f"Keep one of the lines {found[1]} and {found[2]}.")
    required = {canonicalize_name(name_of(line)): line for line in _lines(said)}
    wants = [(found[1], found[2], found[3]) for found in _DEPENDS.finditer(said)]
    for asker, name, spec in wants:
        own = required.get(canonicalize_name(name), "")
        if own and own != name and spec and asker != own:
            return Remedy(
                what_to_do=f"Write {name}{spec} in place of {own} (what {asker} needs), or choose "
                f"another version of {name_of(asker)}."
            )
    return _between(wants)


def _between(wants: list[tuple[str, str, str]]) -> Remedy:
    """Two packages that need different versions of a third one."""
    for number, (first, name, spec) in enumerate(wants):
        for second, other, another in wants[number + 1 :]:
            if (
                _same(name, other)
                and spec != another
                and not _same(name_of(first), name_of(second))
            ):
                return Remedy(
                    what_to_do=f"Choose another version of {name_of(first)} or "
                    f"{name_of(second)}: {first} needs {name}{spec}, {second} needs "
                    f"{name}{another}."
                )
    return Remedy()


def other_python(output: str, cause: str, package: str, needs: str, newest: str) -> Remedy:
    """A package for other Pythons: `needs` is what it requires; without it its wheels show."""
    fitting = _fitting(output, needs)
    asker = asked_by(cause, package)
    whose = f", which {asker} needs," if asker else ""
    wanted = f" {needs}" if needs else f" {_range(fitting)}" if fitting else ""
    message = f"{package}{whose} is for Python{wanted} only." if wanted else ""
    if needs:
        message = f"{package} needs Python {needs}{f' ({asker} needs it)' if asker else ''}."
    python = _nearest(fitting, output)
    other = (
        f"write {newest}, the newest for this Python"
        if newest and not asker
        else (f"choose another version of {name_of(asker or package)}")
    )
    if not python:
        return Remedy(message, f"{other[0].upper()}{other[1:]}: no Python of a test fits.")
    return Remedy(message, f"Run it with --python {python}, or {other}.", {"python": python})


def _fitting(output: str, needs: str) -> list[str]:
    if needs:
        try:
            allowed = SpecifierSet(needs)
        except InvalidSpecifier:
            return []
        return [one for one in SUPPORTED_PYTHONS if f"{one}.99" in allowed]
    found = _ABI_HINT.search(output)
    tags = _TAG.findall(found[2]) if found else []
    minors = {f"3.{match[1]}" for tag in tags if (match := _CPYTHON.match(tag))}
    return [one for one in SUPPORTED_PYTHONS if one in minors]


def _range(pythons: list[str]) -> str:
    return pythons[0] if len(pythons) == 1 else f"{pythons[0]} to {pythons[-1]}"


def _nearest(pythons: list[str], output: str) -> str:
    if not pythons:
        return ""
    found = _CURRENT.search(output)
    current = int(found[1]) if found else 11
    return min(pythons, key=lambda one: abs(int(one.partition(".")[2]) - current))


def other_system(output: str, cause: str, package: str) -> Remedy | None:
    """A package for other systems or machines only; None when it may be for this one."""
    name = name_of(package)
    found = next((one for one in _PLATFORM_HINT.finditer(output) if _same(one[1], name)), None)
    tags = _TAG.findall(found[2]) if found else []
    if canonicalize_name(name) in WINDOWS_ONLY or (
        tags and all(tag.startswith("win") for tag in tags)
    ):
        return _only_for("Windows", "win32", cause, package)
    if tags and all(tag.startswith("macosx") for tag in tags):
        return _only_for("macOS", "darwin", cause, package)
    machines = sorted({one for tag in tags if (one := _machine(tag))})
    if not machines:
        return None
    on = " and ".join(machines)
    asker = asked_by(cause, package)
    return Remedy(
        f"{package} has wheels for Linux on {on} only, and no source.",
        f"Choose another version of {name_of(asker or package)}, or run it on a worker of that "
        "machine type.",
    )


def _only_for(system: str, marker: str, cause: str, package: str) -> Remedy:
    asker = asked_by(cause, package)
    line = _own_line(cause, asker or package)
    needs = f", which {asker} needs," if asker else ""
    return Remedy(
        f"{package}{needs} is for {system} only; tests run on Linux.",
        f"Write `{line}; sys_platform == '{marker}'` in the requirements, or remove that line.",
    )


def _machine(tag: str) -> str:
    """The machine type of a Linux platform tag; empty for other systems."""
    found = re.match(
        r"(?:manylinux|musllinux|linux)[0-9a-z_]*?_(x86_64|aarch64|i686|armv7l|ppc64le|s390x)$", tag
    )
    return found[1] if found else ""


def unknown_package(cause: str, name: str) -> Remedy:
    """A package that the index does not have."""
    if name.lower().replace("-", "_") in {one.lower() for one in sys.stdlib_module_names}:
        return Remedy(what_to_do=f"Remove the line {name}: it is a part of Python itself.")
    asker = asked_by(cause, name)
    if asker:
        return Remedy(
            f"The package index has no package {name!r}, which {asker} needs.",
            f"Choose another version of {name_of(asker)}.",
        )
    return Remedy()


def refused_by_index(output: str) -> Remedy | None:
    """An index that answered 401 or 403, which uv takes for a package that is not there."""
    found = _INDEX_AUTH.search(output)
    if found is None:
        return None
    return Remedy(
        f"The package index {found[1]} refused the worker ({found[2]}).",
        "Put its user and password into the operator's setting SEATRIAL_INDEX_URL "
        "(https://USER:PASSWORD@HOST/simple), then retry.",
    )


_REASONS = (
    (
        re.compile(r"invalid peer certificate: (UnknownIssuer|BadSignature|\S.{0,60}UnknownCA)"),
        "The certificate of {host} is not trusted: its issuer is not known to the worker, as "
        "behind a proxy that inspects TLS.",
        "Name the issuer's certificate (a PEM file) with SSL_CERT_FILE where the worker runs, "
        "then restart it and retry.",
    ),
    (
        re.compile(r"invalid peer certificate: (Expired|NotValidYet|certificate expired)"),
        "The certificate of {host} is not trusted: it is not valid at the worker's time.",
        "Correct the clock of the worker's machine, or renew that certificate, then retry.",
    ),
    (
        re.compile(r"invalid peer certificate: (NotValidForName|certificate not valid for name)"),
        "The certificate of {host} is not trusted: it is for another name.",
        "Write the name that it is for into SEATRIAL_INDEX_URL, then restart the worker and retry.",
    ),
    (
        re.compile(r"invalid peer certificate"),
        "The certificate of {host} is not trusted.",
        "Name its issuer's certificate (a PEM file) with SSL_CERT_FILE where the worker runs, "
        "then restart it and retry.",
    ),
)


def unreachable(output: str) -> Remedy:
    """Why the index was not reached, where the connection error says so."""
    for pattern, message, what_to_do in _REASONS:
        if pattern.search(output):
            return Remedy(message.format(host=_host(output)), what_to_do)
    return Remedy()


def _host(output: str) -> str:
    found = re.search(r"https?://(?:[^@/\s]{1,200}@)?([A-Za-z0-9.:\[\]-]{1,253})[/\s)]", output)
    return found[1] if found else "the package index"


# --------------------------------------------------------------------------- sizes

_DOWNLOADING = re.compile(
    rf"^ *Downloading ({_NAME}) \((\d{{1,9}}(?:\.\d+)?)([KMG])iB\)", re.MULTILINE
)
_PINNED = re.compile(rf"^({_NAME})==\S+")
_VIA = re.compile(rf"^ +# +(?:via +)?({_NAME})$")
_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_UNITS = {"K": 1 / 1024, "M": 1.0, "G": 1024.0}
_SHOWN = 3


def large(output: str, annotated: str) -> Remedy:
    """The largest packages of a build, and the lines that ask for them.

    `annotated` is uv's lock with its "via" comments; without it only sizes are known.
    """
    sizes = {
        found[1]: float(found[2]) * _UNITS[found[3]] for found in _DOWNLOADING.finditer(output)
    }
    top = sorted(sizes, key=lambda name: (-sizes[name], name))[:_SHOWN]
    if not top:
        return Remedy()
    via = _askers(annotated)
    shown = ", ".join(f"{name} ({sizes[name]:.0f} MiB{_for(name, via)})" for name in top)
    roots = sorted({root for name in top for root in _roots(name, via)})
    lines = " or ".join(roots or top[:1])
    known = {*via, *sizes}
    to_do = f"Remove {lines}, or raise SEATRIAL_BUILD_MAX_MB."
    if "torch" not in known or not any(name.startswith("nvidia-") for name in known):
        return Remedy(f"The largest: {shown}.", to_do)
    return Remedy(
        f"The largest: {shown}. torch is the CUDA build here, with its nvidia-* packages.",
        f"For the CPU build, have the operator set UV_INDEX={_CPU_INDEX} for the worker (without "
        f"SEATRIAL_INDEX_URL). {to_do}",
    )


def _for(name: str, via: dict[str, list[str]]) -> str:
    roots = [root for root in _roots(name, via) if root != name]
    return f", for {', '.join(roots)}" if roots else ""


def _roots(name: str, via: dict[str, list[str]]) -> list[str]:
    """The lines of the requirements that lead to a package, itself included; ordered."""
    seen, waiting, found = {name}, [name], list[str]()
    while waiting:
        one = waiting.pop(0)
        askers = via.get(one, [])
        if "" in askers:
            found.append(one)
        new = [asker for asker in askers if asker and asker not in seen]
        seen.update(new)
        waiting += new
    return found


def _askers(annotated: str) -> dict[str, list[str]]:
    """By package: the packages that ask for it; the empty name for a line of the requirements."""
    via: dict[str, list[str]] = {}
    current = ""
    for line in annotated.splitlines():
        if pinned := _PINNED.match(line):
            current = pinned[1]
            via[current] = []
        elif current and "# " in line and re.search(r"# +(?:via +)?-r ", line):
            via[current].append("")
        elif current and (found := _VIA.match(line)):
            via[current].append(found[1])
    return via


def _same(first: str, second: str) -> bool:
    return canonicalize_name(first) == canonicalize_name(second)


def join(parts: Iterable[str]) -> str:
    """Sentences one after the other, without the empty ones."""
    return " ".join(part for part in parts if part)
