"""Locks are read and joined as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environments.lockfile import (
    add_hashes,
    count_packages,
    count_requirements,
    hashes_of,
)

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
LOCK = f"docopt==0.6.2 \\\n    --hash={A}\nsix==1.17.0 \\\n    --hash={B}\n"


def test_packages_are_counted_not_lines() -> None:
    assert count_packages(LOCK) == 2
    assert count_packages(f"httpx[http2]==0.28.1 ; python_version > '3' \\\n    --hash={A}\n") == 1


@pytest.mark.parametrize(
    ("text", "count"), [("six\n", 1), ("six\nidna\n", 2), (f"six==1 \\\n --hash={A}\nidna\n", 2)]
)
def test_requirements_are_counted_without_their_continuations(text: str, count: int) -> None:
    assert count_requirements(text) == count


def test_a_hash_of_the_source_is_added_to_its_version_only() -> None:
    joined = add_hashes(LOCK, {"docopt==0.6.2": [C, A], "six==9.9": [C]})
    assert joined == (
        f"docopt==0.6.2 \\\n    --hash={C} \\\n    --hash={A}\nsix==1.17.0 \\\n    --hash={B}\n"
    )
    assert hashes_of(joined, {"docopt"}) == {"docopt==0.6.2": [C, A]}


def test_a_pin_without_any_hash_stays_one_line_that_ends() -> None:
    assert add_hashes("six==1\n", {"six==1": [C]}) == f"six==1 \\\n    --hash={C}\n"


def test_hashes_of_packages_that_were_not_built_are_not_taken() -> None:
    assert hashes_of(LOCK, {"six"}) == {"six==1.17.0": [B]}


@given(st.text(alphabet=st.sampled_from("ab=-\\\n :sha256hash[];"), max_size=300))
def test_foreign_text_gives_nothing_but_wellformed_hashes(text: str) -> None:
    for hashes in hashes_of(f"a==1\n{text}", {"a", "b"}).values():
        assert all(found.startswith("sha256:") and len(found) == 71 for found in hashes)


def test_a_flood_of_hashes_is_cut() -> None:
    text = "a==1 " + " ".join(f"--hash=sha256:{number:064x}" for number in range(1000))
    assert len(hashes_of(text, {"a"})["a==1"]) == 200
