"""Which server a client means, and which token it may see."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.client import Client
from seatrial.client.address import Address, resolved
from seatrial.domain.data_folder import own_socket
from seatrial.domain.errors import PlatformError
from seatrial.settings import Settings

HERE = "http://127.0.0.1:8710"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEATRIAL_URL", "SEATRIAL_TOKEN", "SEATRIAL_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_without_an_address_it_is_the_local_socket_which_needs_no_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert resolved(None, None, None) == Address("http://seatrial", None, Settings().socket_path)
    monkeypatch.setenv("SEATRIAL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SEATRIAL_TOKEN", "st_of_a_server")
    assert own_socket() == Settings().socket_path == tmp_path / "seatrial.sock"
    assert resolved(None, None, None) == Address(
        "http://seatrial", None, tmp_path / "seatrial.sock"
    )


@pytest.mark.parametrize(
    ("url", "token", "variables", "found"),
    [
        (HERE, "t", {}, (HERE, "t")),
        (HERE, None, {}, (HERE, None)),
        (HERE, None, {"TOKEN": "v"}, (HERE, "v")),
        (HERE, "t", {"TOKEN": "v"}, (HERE, "t")),
        (None, None, {"URL": "https://a", "TOKEN": "v"}, ("https://a", "v")),
        # The address that `seatrial serve` prints.
        (f"{HERE}/#token=f", None, {"TOKEN": "v"}, (f"{HERE}/", "f")),
        (None, None, {"URL": f"{HERE}/#token=f"}, (f"{HERE}/", "f")),
        (f"{HERE}/#", None, {}, (f"{HERE}/", None)),
        # A token is for its server alone.
        ("https://b", None, {"URL": "https://a", "TOKEN": "v"}, ("https://b", None)),
        ("http://a", None, {"URL": "https://a", "TOKEN": "v"}, ("http://a", None)),
        ("https://a/", None, {"URL": "https://a", "TOKEN": "v"}, ("https://a/", "v")),
        # Variables that are set to nothing are not set.
        (HERE, None, {"URL": "", "TOKEN": ""}, (HERE, None)),
    ],
)
def test_a_token_goes_to_the_server_that_it_is_for(
    monkeypatch: pytest.MonkeyPatch,
    url: str | None,
    token: str | None,
    variables: dict[str, str],
    found: tuple[str, str | None],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"SEATRIAL_{name}", value)
    address = resolved(url, token, None)
    assert (address.url, address.token) == found
    assert address.socket_path is None


def test_a_token_is_in_no_representation() -> None:
    assert "st_secret" not in repr(resolved(HERE, "st_secret", None))


@pytest.mark.parametrize("left", [False, True], ids=["nothing", "a socket of a killed process"])
def test_where_nothing_runs_the_error_says_what_starts_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: bool
) -> None:
    import socket

    monkeypatch.setenv("SEATRIAL_DATA_DIR", str(tmp_path))
    if left:
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(tmp_path / "seatrial.sock"))
    with Client() as client, pytest.raises(PlatformError, match="No Seatrial runs") as refused:
        client.session()
    assert str(tmp_path) in refused.value.message
    assert "`seatrial serve`" in refused.value.hint
