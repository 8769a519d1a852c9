"""The key of webhook secrets: one per data folder, its owner's alone, or the operator's."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from seatrial.domain.errors import SetupFailed
from seatrial.settings import Settings
from seatrial.wiring.webhook_key import VARIABLE, load_webhook_key


def test_a_folder_keeps_its_key_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    key = load_webhook_key(settings)
    assert len(key) == 32
    assert load_webhook_key(settings) == key
    assert stat.S_IMODE((tmp_path / "webhook.key").stat().st_mode) == 0o600


def test_the_setting_is_taken_and_leaves_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, base64.b64encode(bytes(32)).decode())
    settings = Settings(data_dir=tmp_path)
    assert "AAAA" not in repr(settings)
    assert load_webhook_key(settings) == bytes(32)
    assert VARIABLE not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    load_webhook_key(settings)
    (tmp_path / "webhook.key").chmod(0o644)
    with pytest.raises(SetupFailed, match="Others may read"):
        load_webhook_key(settings)


@pytest.mark.parametrize("text", ["AAAA", "not base64!"])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SetupFailed, match="no key"):
        load_webhook_key(Settings(data_dir=tmp_path, webhook_key=text))
