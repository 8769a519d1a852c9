"""Deployment packages of succeeded tests: targets, what is known of a package, and the port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field

from .builds import Build

Target = Literal["agentcore", "lambda", "fargate", "compose"]
"""Where a package deploys."""

TARGETS: tuple[Target, ...] = get_args(Target)

MAX_PACKAGE_BYTES = 10 * 1024 * 1024
"""A larger archive is refused: users can download 10 MB without trouble."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class TargetChoice(_Value):
    """One target for a test: whether it is the one that fits best, and why it cannot be had."""

    target: Target
    title: str = Field(description="Its name for people.")
    default: bool = False
    refused: str = Field(default="", description="Why it cannot be chosen; empty when it can.")


class Check(_Value):
    """One thing that was tried out with a package; `skipped` was not, and `detail` says why."""

    name: str
    result: Literal["passed", "failed", "skipped"]
    detail: str = ""


class Rehearsal(_Value):
    """Trying a package out on this installation's own engine, in the background.

    `waiting` for a worker with an engine, `running`, `passed` when no check failed, `failed`,
    `skipped` when nothing could be tried out here.
    """

    state: Literal["waiting", "running", "passed", "failed", "skipped"] = "waiting"
    checks: tuple[Check, ...] = ()


class PackageInfo(_Value):
    """A package that was made. The same test and target give the same bytes."""

    target: Target
    file_name: str
    size_bytes: int
    sha256: str
    files: tuple[str, ...] = Field(description="What is in it, by path.")
    notes: tuple[str, ...] = Field(default=(), description="What its user has to know or to set.")
    made_at: datetime
    download: str = Field(description="Where it is, under the server's address.")
    rehearsal: Rehearsal = Field(
        default=Rehearsal(),
        description="Whether it was built, started and asked here. The download never waits.",
    )


class PackageList(_Value):
    """The packages of a test, and the targets that it can be packaged for.

    `refused` says why none can be made: the test has not succeeded, for example.
    """

    refused: str | None = None
    targets: tuple[TargetChoice, ...] = ()
    packages: tuple[PackageInfo, ...] = ()


class PackageOrder(BaseModel):
    """Which package to make."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target | None = Field(
        default=None, description="Omitted: the target that fits the test's model provider."
    )


@dataclass(frozen=True)
class NewPackage:
    """A package as it was just made."""

    target: Target
    file_name: str
    sha256: str
    files: tuple[str, ...]
    notes: tuple[str, ...]
    content: bytes


@dataclass(frozen=True)
class RehearsalClaim:
    """A package that a worker is to try out."""

    owner: str
    test_id: str
    target: Target
    sha256: str
    content: bytes


class Packages(Protocol):
    """Packages are kept with their test and removed with it. NotFound for others' tests."""

    async def build_of(self, owner: str, test_id: str) -> Build | None:
        """What the test's last attempt ran on; None for tests that never ran."""
        ...

    async def keep_package(self, owner: str, test_id: str, package: NewPackage) -> PackageInfo:
        """Keep it, in place of an earlier one for the same target."""
        ...

    async def packages(self, owner: str, test_id: str) -> Sequence[PackageInfo]:
        """The packages that were made of the test, by target."""
        ...

    async def package(self, owner: str, test_id: str, target: Target) -> bytes:
        """The archive. NotFound when it was not made."""
        ...

    async def claim_rehearsal(self, *, lease_seconds: float) -> RehearsalClaim | None:
        """A package that nobody tried out or does now; None when there is none.

        Unless `rehearsed` is called within the time, another worker may have it.
        """
        ...

    async def hold_rehearsal(self, claim: RehearsalClaim, *, lease_seconds: float) -> None:
        """Keep others from it for so long from now. Does nothing when the package is gone."""
        ...

    async def rehearsed(self, claim: RehearsalClaim, checks: Sequence[Check]) -> None:
        """Keep what came out, unless the package was made anew meanwhile or is gone."""
        ...
