"""Whether users have accounts is one question with one answer."""

from __future__ import annotations

import pytest

from seatrial.settings import Settings


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
