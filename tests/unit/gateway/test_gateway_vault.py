"""Sealing and opening: only with the key, only as what it was sealed as."""

from __future__ import annotations

import base64
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from seatrial.domain.credentials import Credential, SealedCredential
from seatrial.domain.envelope import Envelope
from seatrial.domain.errors import SetupFailed
from seatrial.gateway import keyring
from seatrial.gateway.vault import opened
from seatrial.services.credentials import seal

CANARY = "sk-canary-vault-91b2"
SECRET = Credential(provider="openai", api_key=CANARY, base_url="https://x.test/v1")
KEY = keyring.fresh()


def sealed() -> SealedCredential:
    return seal("ann", "work", SECRET, KEY.shown)


def test_the_holder_of_the_key_reads_what_was_sealed_and_no_two_are_alike() -> None:
    assert opened(sealed(), KEY) == SECRET
    assert sealed().sealed != sealed().sealed
    assert CANARY not in sealed().sealed
    assert CANARY not in repr(sealed())


def test_nobody_else_reads_it() -> None:
    with pytest.raises(SetupFailed, match="damaged"):
        opened(sealed(), keyring.fresh())


@pytest.mark.parametrize("change", ["owner", "name", "provider"])
def test_a_box_that_was_moved_to_another_row_does_not_open(change: str) -> None:
    with pytest.raises(SetupFailed, match="damaged"):
        opened(replace(sealed(), **{change: "ollama"}), KEY)


def test_any_changed_byte_is_noticed() -> None:
    good = Envelope.parse(sealed().sealed)
    for place in range(len(good.box)):
        box = bytearray(good.box)
        box[place] ^= 1
        bad = replace(sealed(), sealed=str(replace(good, box=bytes(box))))
        with pytest.raises(SetupFailed, match="damaged") as caught:
            opened(bad, KEY)
        assert CANARY not in str(caught.value)
    other = bytes([good.ephemeral[0] ^ 1]) + good.ephemeral[1:]
    for text in (str(replace(good, ephemeral=other)), sealed().sealed[:-4], "", "nonsense"):
        with pytest.raises(SetupFailed, match="damaged"):
            opened(replace(sealed(), sealed=text), KEY)
    zero = str(replace(good, ephemeral=bytes(32)))
    with pytest.raises(SetupFailed, match="damaged"):
        opened(replace(sealed(), sealed=zero), KEY)


def test_the_key_file_is_made_once_for_its_owners_eyes_only(tmp_path: Path) -> None:
    first = keyring.load(None, tmp_path)
    file = tmp_path / "credentials.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keyring.load(None, tmp_path).current.id == first.current.id
    assert [path.name for path in tmp_path.iterdir()] == ["credentials.key"]
    file.chmod(0o640)
    with pytest.raises(SetupFailed, match="Others may read"):
        keyring.load(None, tmp_path)


def test_the_operators_setting_wins_over_the_file_and_may_hold_several(tmp_path: Path) -> None:
    texts = [base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)]
    ring = keyring.load(",".join(texts), tmp_path)
    assert len(ring.keys) == 2
    assert ring.path is None
    assert ring.find(ring.keys[1].id) == ring.keys[1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["nonsense!", "AAAA", base64.b64encode(bytes(31)).decode()])
def test_a_key_that_is_none_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(SetupFailed) as caught:
        keyring.load(text, tmp_path)
    assert text not in caught.value.message + caught.value.hint
