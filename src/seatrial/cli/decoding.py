"""From the bytes of a file to the text that is sent; pure."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose little-endian mark begins it.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
}
_DECLARED = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]{1,40})")
"""PEP 263, which pip reads in requirements too."""

_SAVE = "save it as UTF-8"
_NOT_TEXT = "It is a binary file; only text can be sent."


class UndecodableError(Exception):
    """A file is not sent as text; the message says why, and what to do."""


def decode_file(data: bytes) -> str:
    """The text of a file, exactly as it is but for a UTF-8 byte order mark.

    Raises: UndecodableError for anything but UTF-8, naming the encoding where it is evident.
    """
    encoding = _evident(data)
    if encoding in _NAMES:
        raise UndecodableError(f"It is {_NAMES[encoding]} text; {_SAVE}.")
    if b"\0" in data:
        raise UndecodableError(_NOT_TEXT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UndecodableError(_not_utf8(data, error)) from error


def decode_requirements(data: bytes) -> str:
    """The text of a requirements file, read as pip reads it.

    By its byte order mark, else its coding line, else as UTF-8, else as Windows-1252: all that
    counts in such a file is ASCII. Raises: UndecodableError.
    """
    encoding = _evident(data) or _declared(data)
    if encoding:
        try:
            text = data.decode(encoding).removeprefix("\ufeff")
        except (UnicodeError, LookupError) as error:
            message = f"It is not the {encoding} text that it says it is; {_SAVE}."
            raise UndecodableError(message) from error
    else:
        text = _as_utf8_or_windows(data)
    if "\0" in text:
        raise UndecodableError(f"{_NOT_TEXT} Should it be text, {_SAVE}.")
    return text


def _as_utf8_or_windows(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _evident(data: bytes) -> str:
    """The encoding of a byte order mark, or of the zeros of UTF-16 without one; else empty."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    return _of_zeros(data[:4096])


def _of_zeros(start: bytes) -> str:
    """ASCII in UTF-16 has a zero in every other byte, and no other zeros."""
    even, odd = start[::2], start[1::2]
    if len(start) < 4:
        return ""
    if not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if not any(even) and all(odd) else ""


def _declared(data: bytes) -> str:
    """The encoding that a coding line names, which is the first or the second line."""
    for line in data.splitlines()[:2]:
        found = _DECLARED.match(line)
        if found:
            return _text_encoding(found[1].decode("ascii"))
    return ""


def _text_encoding(name: str) -> str:
    """The name when it is an encoding of text: Python's `rot13` or `base64` are none.

    UndecodableError for a name that Python does not know.
    """
    try:
        "".encode(name)
    except (LookupError, UnicodeError) as error:
        message = f"Its coding line names {name!r}, which is no known encoding; {_SAVE}."
        raise UndecodableError(message) from error
    return name


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    try:
        declared = _declared(data)
    except UndecodableError:
        declared = ""
    declaration = f"; its coding line says {declared}" if declared else ""
    remedy = f"{_SAVE[0].upper()}{_SAVE[1:]}" + (" and remove that line." if declared else ".")
    return (
        f"It is not UTF-8 text; only text can be sent (line {line} has the byte "
        f"0x{data[error.start]:02x}{declaration}). {remedy}"
    )
