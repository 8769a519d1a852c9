"""Wheels that came out of a build from source: hostile files, checked before they are kept."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from .folders import make_readable, write_whole

MAX_WHEEL_BYTES = 100 * 1024 * 1024
_MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
_MAX_MEMBERS = 50_000
_MAX_DIRECTORY_BYTES = 10 * 1024 * 1024
_END_SIGNATURE, _END_BYTES = b"PK\x05\x06", 22
_MAX_COMMENT_BYTES = 65_535
_ZIP64_SIGNATURE, _ZIP64_BYTES = b"PK\x06\x07", 20
_MEMBER_SIGNATURE = b"PK\x01\x02"
_FILE_NAME = re.compile(r"[A-Za-z0-9_.+!-]{1,200}\.whl")


class BadWheel(Exception):
    """The file is not a wheel that was asked for; the message says why."""


@dataclass(frozen=True)
class Wheelhouse:
    """The wheels that were built for one owner. Only that owner's builds see them."""

    folder: Path

    def names(self) -> frozenset[str]:
        """The packages that have a wheel here."""
        if not self.folder.is_dir():
            return frozenset()
        return frozenset(
            str(parse_wheel_filename(path.name)[0]) for path in self.folder.glob("*.whl")
        )

    def add(self, name: str, content: bytes, wanted: Collection[str]) -> str:
        """Keep a wheel of one of the wanted packages; the package's name. BadWheel."""
        package = check_wheel(name, content, wanted)
        make_readable(self.folder)
        write_whole(self.folder / name, content)
        return package

    def add_hashes(self, hashes: Mapping[str, Sequence[str]]) -> None:
        """Keep the hashes of the sources that wheels were built from, by `name==version`."""
        make_readable(self.folder)
        write_whole(self._hashes, json.dumps({**self.hashes(), **hashes}).encode())

    def hashes(self) -> dict[str, list[str]]:
        """What `add_hashes` kept."""
        try:
            return json.loads(self._hashes.read_bytes())
        except FileNotFoundError:
            return {}

    @property
    def _hashes(self) -> Path:
        return self.folder.with_name("hashes.json")


def check_wheel(name: str, content: bytes, wanted: Collection[str]) -> str:
    """The package of a well-formed wheel with that file name. BadWheel."""
    if not _FILE_NAME.fullmatch(name):
        raise BadWheel("its name is not that of a wheel")
    if len(content) > MAX_WHEEL_BYTES:
        raise BadWheel(f"it is larger than {MAX_WHEEL_BYTES // 2**20} MB")
    try:
        package, version, _, _ = parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        raise BadWheel(str(error)) from error
    if package not in {canonicalize_name(other) for other in wanted}:
        raise BadWheel(f"{package} was not asked for")
    _check_archive(content, f"{package}-{version}")
    return str(package)


def _check_directory(content: bytes) -> None:
    """Refuse what would cost too much to list: `zipfile` makes an object of every member. BadWheel.

    Its own reading of where the directory is, and of how long (APPNOTE.TXT, 4.3.12 and 4.3.16).
    """
    end = _end_record(content)
    if content[max(0, end - _ZIP64_BYTES) : end].startswith(_ZIP64_SIGNATURE):
        raise BadWheel("it is an archive in the ZIP64 format")
    size = int.from_bytes(content[end + 12 : end + 16], "little")
    if size > min(end, _MAX_DIRECTORY_BYTES):
        raise BadWheel("its list of files is too long")
    if content.count(_MEMBER_SIGNATURE, end - size, end) > _MAX_MEMBERS:
        raise BadWheel("it unpacks to too much")


def _end_record(content: bytes) -> int:
    """Where the record at the archive's end begins. BadWheel."""
    end = len(content) - _END_BYTES
    if content[max(0, end) :].startswith(_END_SIGNATURE) and content.endswith(b"\0\0"):
        return end
    found = content.rfind(_END_SIGNATURE, max(0, end - _MAX_COMMENT_BYTES - 1))
    if not 0 <= found <= end:
        raise BadWheel("it is no archive (it has no end)")
    return found


def _check_archive(content: bytes, stem: str) -> None:
    _check_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadWheel(f"it is no archive ({error})") from error
    if len(members) > _MAX_MEMBERS or sum(m.file_size for m in members) > _MAX_UNPACKED_BYTES:
        raise BadWheel("it unpacks to too much")
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise BadWheel(f"it holds the path {member.filename[:100]!r}")
    folders = {PurePosixPath(member.filename).parts[0] for member in members if member.filename}
    if not any(_stem(folder) == stem for folder in folders if folder.endswith(".dist-info")):
        raise BadWheel("it does not describe the package of its name")


def _stem(folder: str) -> str:
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    return f"{canonicalize_name(name)}-{version}"
