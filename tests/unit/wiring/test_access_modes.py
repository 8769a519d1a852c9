"""Whether users have accounts is one question with one answer."""

from __future__ import annotations

import pytest

from seatrial.settings import Settings
from seatrial.wiring.worker import without_private_urls


@pytest.mark.parametrize(
    ("written", "accounts"), [(None, False), ("0", False), ("false", False), ("1", True)]
)
def test_users_have_accounts_only_where_the_operator_says_so(
    monkeypatch: pytest.MonkeyPatch, written: str | None, accounts: bool
) -> None:
    monkeypatch.delenv("SEATRIAL_REQUIRE_TOKEN", raising=False)
    if written is not None:
        monkeypatch.setenv("SEATRIAL_REQUIRE_TOKEN", written)
    assert Settings().has_accounts is accounts


@pytest.mark.parametrize(
    ("accounts", "private", "server", "worker"),
    [
        (None, None, True, False),
        (False, None, True, True),
        (True, None, False, False),
        (None, True, True, True),
        (True, True, True, True),
        (None, False, False, False),
        (False, False, False, False),
    ],
)
def test_private_addresses_are_open_only_to_the_laptops_owner_or_by_a_setting(
    accounts: bool | None, private: bool | None, server: bool, worker: bool
) -> None:
    settings = Settings(require_token=accounts, private_base_urls=private)
    assert settings.allows_private_urls is server
    assert without_private_urls(settings).allows_private_urls is worker
