"""The room table in ARCHITECTURE.md is the one that the linter enforces."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _enforced() -> list[list[str]]:
    rules = configparser.ConfigParser()
    rules.read(ROOT / ".importlinter")
    lines = rules["importlinter:contract:rooms"]["layers"].split("\n")
    return [
        [room.strip().removeprefix("seatrial.") for room in line.split("|")]
        for line in lines
        if line.strip()
    ]


def _documented() -> list[list[str]]:
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    return [re.findall(r"`([a-z]+)`", row) for row in rows]


def test_the_table_and_the_linter_name_the_same_rooms_in_the_same_order() -> None:
    assert _documented() == _enforced()


def test_every_room_stands_in_the_table() -> None:
    packages = {path.parent.name for path in (ROOT / "src/seatrial").glob("*/__init__.py")}
    assert packages == {room for line in _enforced() for room in line}
