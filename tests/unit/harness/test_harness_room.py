"""The rules of the room itself."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import seatrial.harness
from seatrial.harness import workspace

FOLDER = Path(seatrial.harness.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_valid_python_3_9_and_imports_only_the_standard_library(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_files_are_written_readable_with_their_folders(tmp_path: Path) -> None:
    workspace.write_files({"a/b/c.txt": "one\r\ntwo é", "./d.py": ""}, str(tmp_path))
    assert (tmp_path / "a/b/c.txt").read_bytes() == "one\r\ntwo é".encode()
    assert (tmp_path / "a/b/c.txt").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "d.py").exists()


@pytest.mark.parametrize("name", ["", ".", "/a", "../a", "a/../../b", "a//b", "a/", "a\0b"])
def test_a_path_that_could_lead_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="safe relative path"):
        workspace.write_files({name: "x"}, str(tmp_path))


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("kept")
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(OSError, match="link"):
        workspace.write_files({"link": "x"}, str(tmp_path))
    assert outside.read_text() == "kept"
