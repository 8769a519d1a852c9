"""Writes the archive: the same files give the same bytes, everywhere and always. Pure."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping

from seatrial.domain.errors import PackageRefused
from seatrial.domain.packages import MAX_PACKAGE_BYTES

_TIME = (1980, 1, 1, 0, 0, 0)
_FILE, _PROGRAM = 0o100644, 0o100755
_UNIX = 3


def write_archive(files: Mapping[str, bytes], *, root: str) -> bytes:
    """A zip of the files below one folder. PackageRefused when it is larger than 10 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{root}/{path}", _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            mode = _PROGRAM if content.startswith(b"#!") else _FILE
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    data = buffer.getvalue()
    if len(data) > MAX_PACKAGE_BYTES:
        raise PackageRefused(
            f"The package would have {len(data) / 2**20:.1f} MiB; it may have "
            f"{MAX_PACKAGE_BYTES // 2**20}.",
            hint="Test with fewer or smaller files; data can be fetched where the agent runs.",
        )
    return data


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
