"""Packages that do not fit each other: both are named, and the lines to change."""

from __future__ import annotations

import pytest

from seatrial.domain.misfits import lacks, needs_module
from seatrial.domain.requests import TestRequest

SUBJECT = "Werkzeug 3.0.0: werkzeug.urls.url_quote < Flask 2.2.2"


def asked(requirements: str) -> TestRequest:
    return TestRequest(files={"agent.py": ""}, query="q", requirements=requirements)


@pytest.mark.parametrize(
    ("requirements", "to_do"),
    [
        ("flask==2.2.2\n", "Write flask without a version in place of `flask==2.2.2`"),
        ("rich==1\nFlask[async]==2.2.2 # old\n", "in place of `Flask[async]==2.2.2`"),
        ("werkzeug >=3,<4 ; os_name == 'x'\nflask", "in place of `werkzeug >=3,<4`"),
        (
            "flask==2.2.2\nwerkzeug==3.0.0 --hash=sha256:00",
            "Write flask and werkzeug without a version in place of `flask==2.2.2` and "
            "`werkzeug==3.0.0`",
        ),
        ("flask\n", "Add `Werkzeug<3.0.0` to the requirements, or another version of Flask"),
        ("", "Add `Werkzeug<3.0.0`"),
    ],
)
def test_both_packages_are_named_with_the_lines_to_change(requirements: str, to_do: str) -> None:
    code, message, advice = lacks(asked(requirements), SUBJECT, "ImportError: cannot import name")
    assert code == "dependencies.version_mismatch"
    assert "Flask 2.2.2 and Werkzeug 3.0.0 do not fit each other" in message
    assert "'werkzeug.urls.url_quote'" in message
    assert to_do in advice


@pytest.mark.parametrize("importer", ["$(id) 1.0", "other 1; rm", "other", ""])
def test_an_importer_of_no_strict_form_is_no_part_of_an_advice(importer: str) -> None:
    _, message, advice = lacks(asked(""), f"idna 3.10: idna.x < {importer}", "said")
    assert message.startswith("idna 3.10 is installed")
    assert importer not in advice or not importer
    assert needs_module(asked(""), f"yaml < {importer}", "said") is None


def test_a_module_that_a_later_version_dropped_names_the_version_that_has_it() -> None:
    made = needs_module(asked(""), "pkg_resources < pyfiglet 0.8.post1", "said")
    assert made is not None
    assert "Add 'setuptools<81' to the requirements" in made[2]
