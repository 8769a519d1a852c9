"""Wheels from foreign builds are looked at before they are kept."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environments import wheels
from seatrial.environments.wheels import BadWheel, Wheelhouse, check_wheel

NAME = "srca-1.0-py3-none-any.whl"


def archive(*paths: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path in paths:
            file.writestr(path, "x")
    return buffer.getvalue()


GOOD = archive("srca.py", "srca-1.0.dist-info/METADATA")


def test_a_wheel_that_was_asked_for_is_kept_and_found_again(tmp_path: Path) -> None:
    house = Wheelhouse(tmp_path / "wheels")
    assert house.names() == frozenset()
    assert house.add(NAME, GOOD, {"SrcA"}) == "srca"
    assert house.names() == {"srca"}
    assert (tmp_path / "wheels" / NAME).read_bytes() == GOOD


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("../srca-1.0-py3-none-any.whl", GOOD, "its name"),
        ("srca-1.0-py3-none-any.whl\n", GOOD, "its name"),
        ("srca.whl", GOOD, "wheel"),
        ("other-1.0-py3-none-any.whl", GOOD, "other was not asked for"),
        ("srca-2.0-py3-none-any.whl", GOOD, "does not describe"),
        (NAME, b"no archive", "no archive"),
        (NAME, GOOD[:-30], "no archive"),
        (NAME, archive("srca-1.0.dist-info/METADATA", "../escape.py"), "../escape.py"),
        (NAME, archive("srca-1.0.dist-info/METADATA", "/etc/passwd"), "/etc/passwd"),
        (NAME, archive("srca-1.0.dist-info/METADATA", "a\\b"), "path"),
        (NAME, archive("srca.py"), "does not describe"),
        (NAME, archive("six-1.0.dist-info/METADATA"), "does not describe"),
    ],
)
def test_a_wheel_that_is_not_what_it_should_be_is_refused(
    name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(BadWheel) as caught:
        check_wheel(name, content, {"srca"})
    assert reason in str(caught.value)


def test_a_wheel_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "MAX_WHEEL_BYTES", len(GOOD) - 1)
    with pytest.raises(BadWheel, match="larger"):
        check_wheel(NAME, GOOD, {"srca"})


def test_a_small_archive_of_a_huge_file_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("srca-1.0.dist-info/METADATA", "x")
        with file.open("zeros", "w", force_zip64=True) as member:
            for _ in range(1025):
                member.write(b"\0" * 2**20)
    with pytest.raises(BadWheel, match="unpacks to too much"):
        check_wheel(NAME, buffer.getvalue(), {"srca"})


@given(st.binary(max_size=300), st.integers(0, len(GOOD)))
def test_any_bytes_are_a_wheel_or_refused(noise: bytes, at: int) -> None:
    for content in (noise, GOOD[:at] + noise + GOOD[at:]):
        with suppress(BadWheel):
            assert check_wheel(NAME, content, {"srca"}) == "srca"


def test_hashes_of_sources_are_kept_beside_the_wheels(tmp_path: Path) -> None:
    house = Wheelhouse(tmp_path / "ada" / "wheels")
    assert house.hashes() == {}
    house.add_hashes({"srca==1.0": ["sha256:1"]})
    house.add_hashes({"srcb==1.0": ["sha256:2"]})
    assert house.hashes() == {"srca==1.0": ["sha256:1"], "srcb==1.0": ["sha256:2"]}


def _many(count: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}", "")
    return made.getvalue()


def _directory_of(count: int, *, said: int | None = None) -> bytes:
    """An archive that is all directory; its end record may say less than there is."""
    entry = b"PK\x01\x02" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"a"
    directory = entry * count
    number = min(count if said is None else said, 65_535).to_bytes(2, "little")
    sizes = len(directory).to_bytes(4, "little") + bytes(4)
    return directory + b"PK\x05\x06" + bytes(4) + number + number + sizes + bytes(2)


@pytest.mark.parametrize(
    "content",
    [
        _directory_of(2_000_000),
        _directory_of(100_000, said=3),
        _directory_of(100_000) + b"",
        _directory_of(60_000)[:-2] + b"\x05\x00hello",
        _many(70_000),
    ],
    ids=["two million", "fewer are said", "many", "with a comment", "zip64 numbers"],
)
def test_a_directory_of_too_many_files_is_refused_before_it_is_read(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("its directory was read")

    monkeypatch.setattr(zipfile, "ZipFile", never)
    with pytest.raises(BadWheel):
        check_wheel("demo-1.0-py3-none-any.whl", content, ["demo"])
