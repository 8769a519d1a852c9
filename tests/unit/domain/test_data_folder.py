"""Folders whose path leaves no room for a socket have a short one of this user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seatrial.domain import data_folder
from seatrial.domain.data_folder import make_short_folder, server_socket, short_folder
from seatrial.domain.errors import SetupFailed

LONG = Path("/") / ("h" * 150) / "seatrial"


@pytest.fixture(autouse=True)
def shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(data_folder, "_SHORT_FOLDER", tmp_path)
    return tmp_path


def test_a_folder_with_room_is_used_itself() -> None:
    assert short_folder(Path("/data"), 20) == Path("/data")


@pytest.mark.parametrize("longest_name", [1, 20, 60])
def test_a_path_is_never_longer_than_a_socket_may_be(longest_name: int) -> None:
    for length in range(1, 160):
        folder = Path("/") / ("x" * length)
        found = short_folder(folder, longest_name)
        kept = len(os.fsencode(folder)) + 1 + longest_name <= data_folder.LONGEST_SOCKET
        assert (found == folder) == kept


def test_a_long_folder_has_always_the_same_short_one_and_no_other_has_it() -> None:
    first = short_folder(LONG, 20)
    assert first == short_folder(LONG, 60)
    assert first != short_folder(LONG / "more", 20)


def test_it_is_made_for_this_user_alone() -> None:
    found = server_socket(LONG).parent
    make_short_folder(found)
    make_short_folder(found)
    assert found.stat().st_mode & 0o777 == 0o700


def test_a_link_or_a_folder_of_another_user_is_refused(
    shorter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = short_folder(LONG, 20)
    found.symlink_to(shorter)
    with pytest.raises(SetupFailed, match="another user"):
        server_socket(LONG)
    found.unlink()
    found.mkdir()
    name = found.name
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    renamed = shorter / name.replace(f"-{os.getuid()}-", "-12345-")
    found.rename(renamed)
    with pytest.raises(SetupFailed, match="another user"):
        server_socket(LONG)
