"""The relay's pieces under random content, random cuts and random garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.harness import tunnel

PIECES = st.lists(
    st.tuples(
        st.integers(tunnel.OPEN, tunnel.CLAIMED),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=300),
    ),
    max_size=20,
)


@given(PIECES, st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_pieces_come_out_as_they_went_in_however_they_are_cut(
    pieces: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    wire = b"".join(tunnel.encode(*piece) for piece in pieces)
    found: list[tuple[int, int, bytes]] = []
    decoder, number = tunnel.Decoder(), 0
    while wire:
        size = cuts[number % len(cuts)]
        found += decoder.feed(wire[:size])
        wire, number = wire[size:], number + 1
    assert found == pieces


@given(st.binary(max_size=2000))
def test_garbage_is_refused_or_waited_for_and_nothing_else(data: bytes) -> None:
    try:
        found = tunnel.Decoder().feed(data)
    except tunnel.TunnelError:
        return
    assert sum(9 + len(piece.data) for piece in found) <= len(data)


@given(st.binary(max_size=8))
def test_a_credit_is_four_bytes(data: bytes) -> None:
    if len(data) == 4:
        assert tunnel.credited(data) == int.from_bytes(data, "big")
        return
    with pytest.raises(tunnel.TunnelError):
        tunnel.credited(data)
