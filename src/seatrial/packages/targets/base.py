"""What every target gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seatrial.domain.packages import Target as TargetName
from seatrial.packages.sizing import Number
from seatrial.packages.tested import Tested


@dataclass(frozen=True)
class Shape:
    """What all files of one package agree on: the agent's name, and the image's tag."""

    name: str
    tag: str


@dataclass(frozen=True)
class Target:
    """One target. `refused` is empty for a test that it can run.

    `concurrency` is how many queries one container answers at one time; `machine` the
    architecture of its images. `files` are those that only this target has. `optional` are
    variables of `.env` that may stay empty. The texts go into the README.
    """

    name: TargetName
    title: str
    concurrency: int
    refused: Callable[[Tested], str]
    machine: Callable[[Tested], str]
    numbers: Callable[[Tested], dict[str, Number]]
    files: Callable[[Tested, Shape], dict[str, str]]
    prerequisites: str
    after: str
    costs: str
    trouble: str
    optional: Callable[[Tested], tuple[str, ...]] = lambda _: ()
    notes: Callable[[Tested], tuple[str, ...]] = lambda _: ()


def tested_machine(tested: Tested) -> str:
    """The architecture of the test."""
    return tested.architecture


def never(_: Tested) -> str:
    """For a target that can run every test."""
    return ""
