"""The failure catalogue: closed, and every entry complete."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from seatrial.domain.errors import PlatformError, SeatrialError, Whose
from seatrial.domain.failures import CATALOGUE, failure, is_retried_by_platform


@pytest.mark.spec("FR-013")
@pytest.mark.parametrize("code", CATALOGUE)
def test_a_code_begins_with_the_one_at_fault(code: str) -> None:
    entry = CATALOGUE[code]
    assert entry.code == code
    assert entry.whose in get_args(Whose)
    assert code.startswith(f"{entry.whose}.")


@pytest.mark.spec("FR-013")
@pytest.mark.parametrize("code", CATALOGUE)
def test_an_entry_says_what_why_and_what_to_do_in_sentences(code: str) -> None:
    made = failure(code)
    entry = CATALOGUE[code]
    assert made.whose == entry.whose
    assert (made.title, made.message, made.what_to_do) == (
        entry.title,
        entry.explanation,
        entry.what_to_do,
    )
    for text in (entry.title, entry.explanation, entry.what_to_do):
        assert text.endswith(".")
        assert len(text) < 120
    assert made.fix == {}


def test_every_title_is_said_once() -> None:
    assert len({entry.title for entry in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
def test_only_platform_faults_are_retried_by_the_platform(code: str) -> None:
    assert is_retried_by_platform(code) == (CATALOGUE[code].whose == "platform")


def test_a_code_that_is_not_in_the_catalogue_is_refused() -> None:
    with pytest.raises(KeyError):
        failure("agent.of_tomorrow")
    stray = replace(CATALOGUE["agent.exited"], code="nobody.knows")
    with pytest.raises(KeyError):
        _ = stray.whose


def test_what_is_said_of_one_test_stands_in_place_of_the_entrys_own_texts() -> None:
    made = failure(
        "limit.memory",
        "It used 3 MiB.",
        what_to_do="Use less.",
        evidence="x" * 5000,
        evidence_event=7,
        fix={"memory_mb": 6},
        incident="ab12",
    )
    assert (made.message, made.what_to_do) == ("It used 3 MiB.", "Use less.")
    assert (made.evidence_event, made.fix, made.incident) == (7, {"memory_mb": 6}, "ab12")
    assert made.evidence == "x" * 2000


def platform_errors() -> list[type[SeatrialError]]:
    found: list[type[SeatrialError]] = [PlatformError]
    for kind in found:
        found += [sub for sub in kind.__subclasses__() if sub.__module__ == kind.__module__]
    return found


@pytest.mark.parametrize("kind", platform_errors())
def test_a_platform_error_is_blamed_on_the_platform(kind: type[SeatrialError]) -> None:
    assert kind.whose == "platform"
    assert kind.code.startswith("platform.")
