"""What an engine is given to build a package's image from."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from tests.support.tested import LOCK, succeeded

from seatrial.domain.errors import FailureError
from seatrial.packages import make_package
from seatrial.worker.rehearsal_image import files_of, recipe_of, write_context


def package(lock: str) -> dict[str, bytes]:
    return files_of(make_package(succeeded(lock=lock), "compose").content)


@pytest.mark.parametrize("lock", [LOCK, ""])
def test_no_command_of_the_first_stage_is_left_to_the_engine(lock: str) -> None:
    recipe = recipe_of(package(lock), seconds=60)
    commands = [line for line in recipe.dockerfile.splitlines() if line.startswith("RUN ")]
    assert [line.split()[1] for line in commands] == ["useradd", "chmod"]
    assert recipe.dockerfile.count("FROM ") == 1
    assert "COPY venv /opt/venv\n" in recipe.dockerfile
    assert 'SHELL ["timeout", "--kill-after=1", "60", "/bin/sh", "-c"]' in recipe.dockerfile
    assert ("pip install" in recipe.commands) == bool(lock)


def test_what_is_installed_is_never_on_the_path_of_what_installs_it() -> None:
    text = package(LOCK)["agent/Dockerfile"].decode()
    assert "--python" not in text
    assert "-I -m pip install --root /build/installed --ignore-installed" in text
    assert "PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1" in text
    assert text.index("pip install") < text.index("--clear --without-pip") < text.index("cp -a")


def test_of_a_tree_only_files_folders_and_links_are_taken_as_roots(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "tool").write_text("#!/bin/sh\n")
    (tree / "bin" / "tool").chmod(0o6777)
    (tree / "bin" / "python").symlink_to("/etc/passwd")
    (tree / "lib64").symlink_to("/etc")
    os.mkfifo(tree / "pipe")
    write_context(tmp_path / "it.tar", package(""), "FROM x\n", tree, most_mb=1)
    with tarfile.open(tmp_path / "it.tar") as archive:
        found = {member.name: member for member in archive if member.name.startswith("venv")}
        assert archive.extractfile("Dockerfile").read() == b"FROM x\n"  # type: ignore[union-attr]
    assert set(found) == {"venv", "venv/bin", "venv/bin/tool", "venv/bin/python", "venv/lib64"}
    assert {(one.uid, one.gid, one.mode & 0o7022) for one in found.values()} == {(0, 0, 0)}
    assert found["venv/bin/python"].linkname == "/etc/passwd"
    assert found["venv/lib64"].issym()


def test_a_tree_that_is_too_large_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "large").write_bytes(bytes(2**20 + 1))
    with pytest.raises(FailureError) as caught:
        write_context(tmp_path / "it.tar", package(""), "FROM x\n", tree, most_mb=1)
    assert caught.value.failure.code == "limit.build_size"
