"""Writes the pages of docs/ that follow from the code: settings and failures."""

from __future__ import annotations

from pathlib import Path

from pydantic_core import PydanticUndefined

from seatrial.domain.failures import CATALOGUE
from seatrial.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"


def settings_page() -> str:
    """Every setting with its variable, default and meaning."""
    lines = [
        "# Settings",
        "",
        "Each is an environment variable. Made by `scripts/docs.py` from the code.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
        meaning = " ".join((field.description or "").split())
        lines.append(f"| `SEATRIAL_{name.upper()}` | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def failures_page() -> str:
    """The failure catalogue."""
    lines = [
        "# Why a test did not succeed",
        "",
        "A closed list; the first word of a code says whose fault it is. Only `platform` faults",
        "are tried again by Seatrial itself, at most twice. Made by `scripts/docs.py`.",
        "",
    ]
    for entry in CATALOGUE.values():
        lines += [f"## `{entry.code}`", "", entry.title, entry.explanation, ""]
        lines += [f"*What to do:* {entry.what_to_do}", ""]
    return "\n".join(lines)


PAGES = {"settings.md": settings_page, "failures.md": failures_page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (DOCS / file).write_text(page())
