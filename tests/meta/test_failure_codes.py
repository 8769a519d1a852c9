"""Every failure of the catalogue is made to happen, end to end, by a test that names it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _pytest.mark.structures import Mark, ParameterSet

from seatrial.domain.failures import CATALOGUE

E2E = Path(__file__).parents[1] / "e2e"


def _provoking() -> dict[str, list[str]]:
    """The tests by the code that their mark names; the mark's fixture holds them to it."""
    found: dict[str, list[str]] = {}
    for file in sorted(E2E.glob("test_*.py")):
        module = importlib.import_module(f"tests.e2e.{file.stem}")
        for name, test in vars(module).items():
            for mark in _marks(test):
                if mark.name == "provokes":
                    found.setdefault(str(mark.args[0]), []).append(f"{file.name}::{name}")
    return found


def _marks(test: Any) -> Iterator[Mark]:
    """A test's own marks and those of its cases."""
    for mark in getattr(test, "pytestmark", []) if callable(test) else []:
        yield mark
        if mark.name == "parametrize":
            for case in mark.args[1]:
                if isinstance(case, ParameterSet):
                    yield from (one if isinstance(one, Mark) else one.mark for one in case.marks)


def test_every_code_is_provoked_end_to_end() -> None:
    assert set(CATALOGUE) - set(_provoking()) == set()


def test_no_test_provokes_a_code_that_does_not_exist() -> None:
    assert set(_provoking()) <= set(CATALOGUE)


def test_whoever_has_the_mark_asserts_the_failure() -> None:
    for file in sorted(E2E.glob("test_*.py")):
        module = importlib.import_module(f"tests.e2e.{file.stem}")
        for name, test in vars(module).items():
            if any(mark.name == "provokes" for mark in _marks(test)):
                assert "provoked" in test.__code__.co_varnames, f"{file.name}::{name}"
