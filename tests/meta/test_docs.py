"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from seatrial.cli.main import app

ROOT = Path(__file__).parents[2]


def _pages() -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("docs_script", ROOT / "scripts/docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PAGES


@pytest.mark.parametrize("name", ["settings.md", "failures.md"])
def test_the_made_pages_are_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == _pages()[name]()


def test_every_command_in_the_readme_exists() -> None:
    commands = set(getattr(get_command(app), "commands"))  # noqa: B009 - typed as a plain command
    named = set(re.findall(r"seatrial ([a-z]+)", (ROOT / "README.md").read_text()))
    prose = {"runs", "finds", "itself", "needs", "is", "promises", "import"}
    assert named - prose <= commands


def test_every_local_link_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
