"""The local token: one per data folder, its owner's alone, the same at every start."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seatrial.domain.errors import SetupFailed
from seatrial.settings import Settings
from seatrial.wiring import access
from seatrial.wiring.owner import owned


def settings(folder: Path, **values: object) -> Settings:
    return Settings.model_validate({"data_dir": folder, **values})


def test_a_folder_keeps_its_token_for_its_owner_alone(tmp_path: Path) -> None:
    token = access.local_token(tmp_path / "new")
    file = tmp_path / "new" / access.FILE
    assert access.local_token(tmp_path / "new") == token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == [access.FILE]
    file.unlink()
    assert access.local_token(tmp_path / "new") != token


def test_processes_that_start_together_agree_on_one_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as starts:
        tokens = set(starts.map(access.local_token, [tmp_path] * 64))
    assert len(tokens) == 1
    assert [one.name for one in tmp_path.iterdir()] == [access.FILE]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    access.local_token(tmp_path)
    (tmp_path / access.FILE).chmod(mode)
    with pytest.raises(SetupFailed, match="Others may read") as refused:
        access.local_token(tmp_path)
    assert str(tmp_path / access.FILE) in refused.value.hint


@pytest.mark.parametrize("text", ["", "st_short", "Bearer " + "x" * 43, "st_" + "é" * 43])
def test_a_file_without_a_token_is_refused_and_not_taken_for_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / access.FILE
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(SetupFailed, match="holds no token"):
        access.local_token(tmp_path)


def test_the_address_carries_the_token_only_where_the_port_asks_for_it(tmp_path: Path) -> None:
    token = access.local_token(tmp_path)
    for value, tail in ((None, f"/#token={token}"), (False, ""), (True, "")):
        made = settings(tmp_path, require_token=value, port=9000)
        address = access.page_address(made, access.expected(made))
        assert address == f"http://127.0.0.1:9000{tail}"
    made = settings(tmp_path, host="::1", require_token=False)
    assert access.expected(made).url == "http://[::1]:8710"


def test_where_users_have_accounts_there_is_no_local_token(tmp_path: Path) -> None:
    made = settings(tmp_path, require_token=True)
    with pytest.raises(SetupFailed, match="accounts") as refused:
        access.shown_token(made, access.expected(made))
    assert "seatrial users token" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_running_process_is_known_by_its_own_address_and_mode(tmp_path: Path) -> None:
    made = settings(tmp_path, require_token=False)
    with owned(tmp_path):
        assert access.listening(made) is None
        access.publish(made, "http://127.0.0.1:9001")
        # Another shell has other settings than the process that serves.
        found = access.listening(settings(tmp_path, port=9999))
        assert found is not None
        assert (found.url, found.access, found.pid) == (
            "http://127.0.0.1:9001",
            "open",
            os.getpid(),
        )
        assert stat.S_IMODE((tmp_path / "listening.json").stat().st_mode) == 0o600
    # A killed process leaves its record behind.
    assert access.listening(made) is None
    access.withdraw(made)
    access.withdraw(made)
