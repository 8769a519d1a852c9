"""Names follow from content."""

from __future__ import annotations

import pytest

from seatrial.environments import keys

INPUTS = {
    "python": "3.11",
    "architecture": "x86_64",
    "index": "https://a.example/simple",
    "uv": "0.9",
    "image": "sha256:1",
}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("six\n", "six"),
        ("six\n", "# why\n\nsix   \n"),
        ("\ufeffsix\r\nidna\r\n", "six\nidna\n"),
    ],
)
def test_what_means_the_same_has_the_same_name(one: str, other: str) -> None:
    assert keys.inputs_key(one, **INPUTS) == keys.inputs_key(other, **INPUTS)


def test_a_comment_that_is_all_there_is_wants_nothing() -> None:
    assert keys.plain("# six\n\n   \n") == ""


@pytest.mark.parametrize("name", list(INPUTS))
def test_every_input_changes_the_name_of_a_resolution(name: str) -> None:
    changed = {**INPUTS, name: "other"}
    assert keys.inputs_key("six", **INPUTS) != keys.inputs_key("six", **changed)


@pytest.mark.parametrize("name", ["python", "architecture", "image"])
def test_every_input_changes_the_name_of_a_tree(name: str) -> None:
    inputs = {key: INPUTS[key] for key in ("python", "architecture", "image")}
    assert keys.tree_key("six==1", **inputs) != keys.tree_key("six==1", **{**inputs, name: "other"})
    assert keys.tree_key("six==1", **inputs) != keys.tree_key("six==2", **inputs)


def test_parts_cannot_be_shifted_into_each_other() -> None:
    one = keys.tree_key("a", python="b", architecture="c", image="d")
    assert one != keys.tree_key("ab", python="", architecture="c", image="d")


def test_an_owner_of_any_name_has_a_plain_folder() -> None:
    assert keys.owner_key("../../etc").isalnum()
    assert keys.owner_key("ada") != keys.owner_key("bob")


def test_containers_of_two_installations_do_not_share_a_name() -> None:
    one = keys.container_name("fetch", "key", "one")
    assert one == keys.container_name("fetch", "key", "one")
    assert one != keys.container_name("fetch", "key", "other")
    assert len(one) < 32
