"""What is kept on disk, and what goes first."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seatrial.domain.errors import PlatformError
from seatrial.environments.folders import EnvironmentFolders
from seatrial.environments.locks import holding, trying
from seatrial.environments.trees import Resolution, Trees

KB = 1024
ROOT = Path(__file__).parents[3]


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    folders = EnvironmentFolders(tmp_path / "environments")
    folders.create()
    return Trees(folders)


def grow(trees: Trees, key: str, *, used_ago: float, cached: bool = True) -> Path:
    """A whole tree of 100 KB whose file is a hard link of the cache."""
    folder = trees.folders.trees / key / "lib"
    folder.mkdir(parents=True)
    file = trees.folders.cache / key
    file.write_bytes(b"x" * 100 * KB)
    os.link(file, folder / "module.py")
    if not cached:
        file.unlink()
    trees.complete(key, python="3.11", packages=1, seconds=1.0)
    then = time.time() - used_ago
    os.utime(trees.folders.markers / f"{key}.json", (then, then))
    return folder.parent


def test_a_file_with_two_names_counts_once(trees: Trees) -> None:
    grow(trees, "a", used_ago=0)
    assert 100 * KB <= trees.measure() < 150 * KB


def test_nothing_goes_while_there_is_room(trees: Trees) -> None:
    grow(trees, "a", used_ago=1000)
    assert trees.make_room(10**9, ()) == 0
    assert (trees.folders.cache / "a").exists()


def test_the_cache_goes_before_any_tree(trees: Trees) -> None:
    grow(trees, "a", used_ago=1000)
    (trees.folders.cache / "other").write_bytes(b"x" * 100 * KB)
    freed = trees.make_room(150 * KB, ())
    assert freed >= 100 * KB
    assert [entry.key for entry in trees.entries()] == ["a"]
    assert list(trees.folders.cache.iterdir()) == []


def test_trees_go_from_the_least_recently_used_on_until_it_fits(trees: Trees) -> None:
    for number, key in enumerate("abcd"):
        grow(trees, key, used_ago=1000 - number, cached=False)
    trees.make_room(250 * KB, ())
    assert [entry.key for entry in trees.entries()] == ["d", "c"]
    assert {path.name for path in trees.folders.trees.iterdir()} == {"c", "d"}


async def test_what_is_in_use_being_built_or_just_handed_out_stays(trees: Trees) -> None:
    for key in ("used", "locked", "old"):
        grow(trees, key, used_ago=1000)
    grow(trees, "new", used_ago=1)
    async with holding(trees.folders.lock("locked"), until=0):
        trees.make_room(0, {"used"})
    assert {entry.key for entry in trees.entries()} == {"used", "locked", "new"}


async def test_the_cache_stays_while_a_build_uses_it(trees: Trees) -> None:
    grow(trees, "a", used_ago=1000)
    async with holding(trees.folders.lock("cache"), until=0, shared=True):
        trees.make_room(0, ())
    assert (trees.folders.cache / "a").exists()
    assert trees.entries() == []


def test_a_tree_without_its_marker_is_no_tree_and_goes_first(trees: Trees) -> None:
    orphan = trees.folders.trees / "orphan"
    (orphan / "lib").mkdir(parents=True)
    (orphan / "lib").chmod(0o500)
    (orphan / ".complete").write_text("{}")
    assert trees.use("orphan") is None
    trees.make_room(0, ())
    assert not orphan.exists()


def test_using_a_tree_makes_it_the_latest(trees: Trees) -> None:
    for key in ("a", "b"):
        grow(trees, key, used_ago=1000 if key == "a" else 500)
    assert [entry.key for entry in trees.entries()] == ["b", "a"]
    assert trees.use("a") is not None
    assert [entry.key for entry in trees.entries()] == ["a", "b"]


def test_a_resolution_is_used_again_for_a_day(trees: Trees) -> None:
    kept = Resolution("six==1\n", 1.5, "ada")
    trees.keep_resolution("key", kept)
    assert trees.resolution("key") == kept
    then = time.time() - 25 * 3600
    os.utime(trees.folders.resolutions / "key.json", (then, then))
    assert trees.resolution("key") is None
    assert trees.resolution("other") is None


def test_a_torn_file_is_none(trees: Trees) -> None:
    (trees.folders.resolutions / "key.json").write_text('{"lock": "six')
    (trees.folders.markers / "key.json").write_text("{}")
    assert trees.resolution("key") is None
    assert trees.use("key") is None
    assert trees.entries() == []


async def test_a_lock_excludes_others_until_it_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "a.lock"
    async with (
        holding(path, until=0, shared=True),
        holding(path, until=0, shared=True),
    ):
        with trying(path) as free:
            assert not free
    with trying(path) as free:
        assert free


def test_the_trees_of_who_takes_too_much_go_first(trees: Trees) -> None:
    """Bob's one is the oldest, and stays: Alice has four."""
    grow(trees, "bobs", used_ago=5000, cached=False)
    trees.note_use("bobs", "bob")
    for number, key in enumerate("abcd"):
        grow(trees, key, used_ago=1000 - number, cached=False)
        trees.note_use(key, "alice")
    trees.make_room(350 * KB, ())
    assert {entry.key for entry in trees.entries()} == {"bobs", "c", "d"}


def test_what_others_use_too_stays_longer(trees: Trees) -> None:
    grow(trees, "bobs", used_ago=5000, cached=False)
    trees.note_use("bobs", "bob")
    for number, key in enumerate("abc"):
        grow(trees, key, used_ago=1000 - number, cached=False)
        trees.note_use(key, "alice")
    trees.note_use("a", "bob")
    trees.make_room(350 * KB, ())
    assert {entry.key for entry in trees.entries()} == {"bobs", "a", "c"}


def test_an_owner_lists_what_own_tests_used_and_when_they_did(trees: Trees) -> None:
    for key in ("a", "b", "c"):
        grow(trees, key, used_ago=1000)
    trees.note_use("b", "bob")
    trees.note_use("a", "bob")
    trees.note_use("a", "alice")
    then = time.time() - 5000
    os.utime(trees.folders.uses / "a" / "bob", (then, then))
    assert [entry.key for entry in trees.entries_of("bob")] == ["b", "a"]
    assert trees.entries_of("bob")[1].last_used.timestamp() == pytest.approx(then)
    assert [entry.key for entry in trees.entries_of("alice")] == ["a"]
    assert trees.entries_of("eve") == []
    trees.clear("a")
    assert trees.entries_of("alice") == []


HOLD_AND_STOP = """
import fcntl, os, signal, sys
from tests.support.stopping import end_with_parent
end_with_parent()
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


async def test_a_stopped_process_that_holds_a_lock_is_waited_for_until_a_build_would_be_over(
    tmp_path: Path,
) -> None:
    path, waits = tmp_path / "a.lock", list[str]()

    async def tell() -> None:
        waits.append("told")

    command = [sys.executable, "-c", HOLD_AND_STOP, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        until = asyncio.get_running_loop().time() + 0.3
        with pytest.raises(PlatformError, match="does not finish") as raised:
            async with asyncio.timeout(30), holding(path, until=until, waits=tell):
                raise AssertionError("it was held twice")
        holder.kill()
    assert raised.value.hint
    assert waits == ["told"]
    async with asyncio.timeout(30), holding(path, until=until + 30, waits=tell):
        pass
