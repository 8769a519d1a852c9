"""The log budget and the batches: what is kept, what is dropped, in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.harness.logs import SEGMENTS, LogBatch, LogBudget

PIECES = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=50)))


@given(PIECES, st.integers(min_value=0, max_value=200))
def test_head_and_tail_are_the_ends_of_the_output_and_the_counts_add_up(
    pieces: list[tuple[str, bytes]], total: int
) -> None:
    budget = LogBudget(total)
    head = b"".join(budget.add(stream, data) for stream, data in pieces)
    dropped = budget.dropped
    tail = b"".join(data for _, data in budget.tail())
    everything = b"".join(data for _, data in pieces)
    assert budget.written == len(everything)
    assert everything.startswith(head)
    assert everything.endswith(tail)
    assert len(head) <= total * 3 // 4
    cut = len(everything) - len(head) - len(tail) - dropped
    assert 0 <= cut <= (3 if dropped else 0)


def test_output_within_the_budget_is_kept_whole() -> None:
    budget = LogBudget(100)
    head = budget.add("stdout", b"a" * 90)
    assert head + b"".join(data for _, data in budget.tail()) == b"a" * 90
    assert budget.dropped == 0


def test_single_bytes_do_not_make_the_ring_large() -> None:
    budget = LogBudget(4 * 100_000)
    for _ in range(500_000):
        budget.add("stdout", b"x")
    tail = budget.tail()
    assert sum(len(data) for _, data in tail) == 100_000
    assert len(tail) < 100


def test_the_tail_does_not_begin_in_the_middle_of_a_character() -> None:
    budget = LogBudget(8)
    budget.add("stdout", b"123456" + "😀".encode() + b"z")
    assert budget.tail() == [("stdout", b"z")]


@given(st.text(), st.data())
def test_text_survives_any_cut_of_its_bytes(text: str, data: st.DataObject) -> None:
    batch = LogBatch()
    encoded = text.encode("utf-8")
    got = ""
    while encoded:
        cut = data.draw(st.integers(1, len(encoded)))
        batch.add("stdout", encoded[:cut])
        encoded = encoded[cut:]
        got += "".join(piece for _, piece in batch.take())
    assert got + "".join(piece for _, piece in batch.take(final=True)) == text


def test_half_a_character_at_the_end_is_replaced() -> None:
    batch = LogBatch()
    batch.add("stderr", b"a\xf0\x9f")
    assert batch.take() == [("stderr", "a")]
    assert batch.take(final=True) == [("stderr", "\ufffd")]


@pytest.mark.parametrize("changes", [1, 2, 50])
def test_a_batch_has_few_segments_however_often_the_stream_changes(changes: int) -> None:
    batch = LogBatch()
    for number in range(changes):
        batch.add("stdout" if number % 2 else "stderr", b"x")
    taken = batch.take()
    assert len(taken) == min(changes, SEGMENTS)
    assert sum(len(text) for _, text in taken) == changes
