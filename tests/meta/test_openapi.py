"""The committed description of the API is that of the code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from seatrial.server.openapi import document

COMMITTED = Path(__file__).parents[2] / "api" / "openapi.json"
HOW = "run: python -m seatrial.server.openapi > api/openapi.json"


def described() -> dict[str, Any]:
    return json.loads(document())


def test_the_committed_description_has_not_drifted() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == document(), HOW


def test_the_settings_of_this_machine_do_not_show_in_it() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "seatrial.server.openapi"],
        env={"SEATRIAL_HOST": "0.0.0.0", "SEATRIAL_MAX_CPUS": "1", "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert written.stdout == document()


def test_every_operation_has_an_id_a_tag_and_a_summary() -> None:
    seen: set[str] = set()
    for methods in described()["paths"].values():
        for operation in methods.values():
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            assert operation["tags"]
            assert operation["summary"]
            assert operation["description"]


def test_every_reference_in_it_is_kept() -> None:
    document_ = described()
    names = set(document_["components"]["schemas"])

    def check(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():  # pyright: ignore
                if key == "$ref":
                    assert str(inner).rpartition("/")[2] in names  # pyright: ignore
                check(inner)  # pyright: ignore
        elif isinstance(value, list):
            for inner in value:  # pyright: ignore
                check(inner)  # pyright: ignore

    check(document_)


def test_the_server_loads_no_container_library() -> None:
    code = (
        "import sys, seatrial.server.openapi as o, seatrial.server.listen; o.document();"
        "heavy = {'aiohttp', 'aiodocker', 'sqlalchemy'} | "
        "{f'seatrial.{n}' for n in 'engines gateway worker environments slots store'.split()};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
