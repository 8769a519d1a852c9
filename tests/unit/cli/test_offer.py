"""An engine is offered only to somebody who can say yes, and installed only with a yes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.cli.offer import offer_engine
from seatrial.cli.screen import Screen
from seatrial.settings import Settings
from seatrial.wiring import missing_engine

PLAN = "Seatrial can install docker.io."


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What was installed on a machine without an engine."""
    done: list[Settings] = []

    async def accept(settings: Settings, progress: Callable[[str], None]) -> None:
        progress("Installing docker.io")
        done.append(settings)

    def offer(settings: Settings) -> str:
        return PLAN

    monkeypatch.setattr(missing_engine, "offer", offer)
    monkeypatch.setattr(missing_engine, "accept", accept)
    return done


def offered(
    monkeypatch: pytest.MonkeyPatch, typed: io.StringIO, folder: Path, url: str | None = None
) -> tuple[bool, str]:
    err = Terminal()
    monkeypatch.setattr(sys, "stdin", typed)
    monkeypatch.setattr(sys, "stderr", err)
    screen = Screen(json_mode=True, out=io.StringIO(), err=err)
    return offer_engine(Settings(data_dir=folder, url=url), screen), err.getvalue()


def test_a_yes_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: list[Settings]
) -> None:
    took, said = offered(monkeypatch, Terminal("y\n"), tmp_path)
    assert took
    assert PLAN in said
    assert len(installed) == 1


@pytest.mark.parametrize("typed", [Terminal("n\n"), Terminal("\n"), io.StringIO("y\n")])
def test_a_no_or_nobody_installs_nothing(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    installed: list[Settings],
    typed: io.StringIO,
) -> None:
    took, _ = offered(monkeypatch, typed, tmp_path)
    assert not took
    assert installed == []


def test_nothing_is_offered_for_another_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: list[Settings]
) -> None:
    took, said = offered(monkeypatch, Terminal("y\n"), tmp_path, url="http://127.0.0.1:1")
    assert (took, said) == (False, "")
    assert installed == []
