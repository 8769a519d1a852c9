"""Versions of engines and runtimes from which a container is known to get out.

Only holes that count here: a container without network whose image and command are ours, and
whose agent is hostile. (The known ones of Docker's own daemon need a network, `docker cp` or a
build.) The list is as of November 2026 and a warning, not a gate: distributions
fix holes without raising the version, which only their own package version shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .answers import Component, Version


@dataclass(frozen=True)
class Advisory:
    """A hole of `component`, fixed in each branch from the version that is named."""

    component: str
    name: str
    fixed: tuple[tuple[int, ...], ...]
    what: str
    distribution_fixed: tuple[str, ...] = ()
    """Package versions, as regular expressions, that carry the fix all the same."""


ADVISORIES = (
    Advisory("runc", "CVE-2019-5736", ((1, 0, 0),), "overwrites the runtime itself"),
    Advisory(
        "runc",
        "CVE-2024-21626",
        ((1, 1, 12),),
        "a leaked file descriptor leads to the host",
        (r"1\.1\.5\+ds1-1\+deb12u[1-9]", r"1\.0\.0~rc93\+ds1-5\+deb11u[3-9]"),
    ),
    Advisory(
        "runc",
        "CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881",
        ((1, 2, 8), (1, 3, 3), (1, 4, 0)),
        "races over masked paths and /proc write to the host",
    ),
    Advisory("crun", "CVE-2025-24965", ((1, 20),), "a krun container leads to the host"),
)

_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9})+")


def warnings_for(version: Version) -> Iterable[str]:
    """One sentence per known hole, from what `/version` answers."""
    for component in version.components:
        name, text = _name_and_version(component)
        for advisory in ADVISORIES:
            if advisory.component == name and is_open(advisory, text):
                yield (
                    f"{name} {_number(text)} is older than the fix of {advisory.name} "
                    f"({advisory.what}): update it, unless your distribution has fixed it."
                )


def is_open(advisory: Advisory, version: str) -> bool:
    """Whether that version still has the hole, as far as the version tells."""
    if any(re.search(pattern, version) for pattern in advisory.distribution_fixed):
        return False
    found = _VERSION.search(version)
    if found is None:
        return False
    number = tuple(int(digits) for digits in found.group().split("."))
    same_branch = [fix for fix in advisory.fixed if fix[:2] == number[:2]]
    return number < (same_branch[0] if same_branch else advisory.fixed[-1])


def _name_and_version(component: Component) -> tuple[str, str]:
    """The bare name of a component and all that it says about its version.

    Podman names its runtime "OCI Runtime (runc)" and writes "runc version 1.1.5 …".
    """
    inner = re.search(r"\((\w+)\)", component.name)
    text = f"{component.version} {component.details.get('GitCommit', '')}"
    return (inner.group(1) if inner else component.name), text


def _number(text: str) -> str:
    found = _VERSION.search(text)
    return found.group() if found else text
