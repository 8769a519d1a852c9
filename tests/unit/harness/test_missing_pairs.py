"""An import that fails inside an installed package names the two packages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.harness.missing import of_import


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, beside that of the agent."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), str(tmp_path / "agent"), *sys.path])
    (tmp_path / "agent").mkdir()
    (tmp_path / "site").mkdir()
    installed(tmp_path / "site", "pair_base", "3.0", "value = 1\n")
    installed(tmp_path / "site", "pair_old", "1.0", "from pair_base import gone\n")
    installed(tmp_path / "site", "pair_sub", "1.1", "import pair_base.gone\n")
    installed(tmp_path / "site", "pair_bare", "2.0", "import not_there_at_all\n")
    installed(tmp_path / "site", "pair_self", "2.5", "from pair_self import gone\n")
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def installed(site: Path, name: str, version: str, source: str) -> None:
    (site / f"{name}.py").write_text(source)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    distribution = name.replace("_", "-")
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    )
    (info / "RECORD").write_text(f"{name}.py,,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import pair_old", ("lacks_name", "pair-base 3.0: pair_base.gone < pair-old 1.0")),
        ("import pair_sub", ("lacks_module", "pair-base 3.0: pair_base.gone < pair-sub 1.1")),
        ("import pair_bare", ("needs_module", "not_there_at_all < pair-bare 2.0")),
        (
            "import importlib; importlib.import_module('pair_old')",
            ("lacks_name", "pair-base 3.0: pair_base.gone < pair-old 1.0"),
        ),
        ("from pair_base import gone", ("lacks_name", "pair-base 3.0: pair_base.gone")),
        ("import pair_base.gone", ("lacks_module", "pair-base 3.0: pair_base.gone")),
        ("import not_there_at_all", ("module", "not_there_at_all")),
        (
            "import importlib; importlib.import_module('not_there_at_all')",
            ("module", "not_there_at_all"),
        ),
    ],
)
def test_the_importer_is_named_unless_it_is_the_agent(
    site: Path, source: str, cause: tuple[str, str]
) -> None:
    agent = site / "agent" / "pair_agent.py"
    agent.write_text(source)
    with pytest.raises(ImportError) as raised:
        __import__("pair_agent")
    assert of_import([raised.value], str(site / "agent")) == cause
