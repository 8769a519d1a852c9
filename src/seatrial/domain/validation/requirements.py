"""The requirements of a request: a plain list of packages from the index.

It is read more strictly than installers do: what any of them might take for an option, a path
or an address is refused, so that the text means the same to all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement

from seatrial.domain.errors import FieldProblem

from .paths import printable
from .texts import is_utf8

MAX_REQUIREMENTS_BYTES = 100_000
_MAX_PROBLEMS = 20

_HASH = re.compile(r"--hash[= ](sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_VERSION_CONTROL = re.compile(r"(git|hg|svn|bzr)\+", re.IGNORECASE)
# Only where blanks begin: within a long run of them, each further start would read it again.
_BEFORE_OPTION = re.compile(r"(?<!\s)\s++(?=-)")
_URL = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
_SINGLE_EQUALS = re.compile(r"([A-Za-z0-9._-]{1,100}) ?= ?([A-Za-z0-9.*+!-]{1,60})")
"""As conda writes a version."""
_ARCHIVE = re.compile(r"\.(whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz|tar)$", re.IGNORECASE)

_NO_FILES = "other requirements files cannot be named; put their lines here"
_NO_CONSTRAINTS = "constraints files cannot be named; put versions into the requirements"
_NO_EDITABLE = "editable installs are not possible; send the code among the files"
_INDEX = "the package index is the operator's setting SEATRIAL_INDEX_URL"
_EXTRA_INDEX = (
    "another index is the operator's setting UV_INDEX (or PIP_EXTRA_INDEX_URL) for the worker, "
    "which counts unless SEATRIAL_INDEX_URL is set"
)
_LINKS = (
    "packages come from an index only; put those files on one, which is the operator's setting "
    "SEATRIAL_INDEX_URL"
)
_TRUST = (
    "an index is always checked; its authority's certificate is the operator's setting "
    "SSL_CERT_FILE for the worker"
)
_WHEELS = "wheels are taken where there are any; remove the line"
_PRE = "name the pre-release that you need as a version, such as name==2.0rc1; remove the line"
_HASHES = "every package is pinned by its hash anyway; remove the line"
_OPTIONS = {
    "-r": _NO_FILES,
    "--requirement": _NO_FILES,
    "-c": _NO_CONSTRAINTS,
    "--constraint": _NO_CONSTRAINTS,
    "-e": _NO_EDITABLE,
    "--editable": _NO_EDITABLE,
    "-i": _INDEX,
    "--index-url": _INDEX,
    "--pypi-url": _INDEX,
    "--no-index": _INDEX,
    "--extra-index-url": _EXTRA_INDEX,
    "-f": _LINKS,
    "--find-links": _LINKS,
    "--trusted-host": _TRUST,
    "--cert": _TRUST,
    "--no-binary": _WHEELS,
    "--only-binary": _WHEELS,
    "--prefer-binary": _WHEELS,
    "--pre": _PRE,
    "--require-hashes": _HASHES,
}

_NO_VERSION_CONTROL = (
    "packages from version control are refused; name a release on the index, or send the code "
    "among the files"
)
_NO_ADDRESS = (
    "direct addresses are refused; name a package of the index, which is the operator's setting "
    "SEATRIAL_INDEX_URL"
)
_NO_PATH = "local paths are refused; send the code among the files"
_MISREAD = ("\xff\xfe", "\xfe\xff", "\ufffd\ufffd", "\xef\xbb\xbf")
"""What UTF-16, or a byte order mark, becomes where it is read as another encoding."""


@dataclass(frozen=True)
class _Line:
    """One logical line without comments. `number` is its first line in the text, from 1."""

    number: int
    text: str


def requirements_problems(text: str) -> Iterator[FieldProblem]:
    """What is wrong with each line; at most 20 problems."""
    if not is_utf8(text):
        yield FieldProblem("requirements", "The requirements are not valid UTF-8.", "not_utf8")
        return
    size = len(text.encode())
    if size > MAX_REQUIREMENTS_BYTES:
        message = f"The requirements have {size:,} bytes; the limit is 100 KB (100,000 bytes)."
        yield FieldProblem("requirements", message, "too_long")
        return
    if text.startswith(_MISREAD) or text.count("\0") * 3 > len(text):
        message = "The requirements were read in the wrong encoding. Save the file as UTF-8."
        yield FieldProblem("requirements", message, "not_utf8")
        return
    found = 0
    for line in _lines(text.removeprefix("\ufeff")):
        problem = _line_problem(line.text)
        if problem and found < _MAX_PROBLEMS:
            found += 1
            reason, code = problem
            message = f"Line {line.number}, {printable(line.text)!r}: {reason}."
            yield FieldProblem("requirements", message, code, line=line.number)


def _lines(text: str) -> Iterator[_Line]:
    """Logical lines that are not empty. A comment ends with its own line, always."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if joined else number
        stripped = _without_comment(line)
        if stripped.endswith("\\"):
            joined += stripped[:-1] + " "
            continue
        whole, joined = (joined + stripped).strip(), ""
        if whole:
            yield _Line(start, whole)
    if joined.strip():
        yield _Line(start, joined.strip())


def _without_comment(line: str) -> str:
    """The line up to a `#` that begins it or follows a blank, and without those blanks."""
    at = line.find("#")
    while at > 0 and not line[at - 1].isspace():
        at = line.find("#", at + 1)
    return line if at < 0 else line[:at].rstrip()


def _line_problem(line: str) -> tuple[str, str] | None:
    if not line.replace("\t", " ").isprintable():
        return "it holds characters that cannot be printed", "invalid"
    if line.startswith("-"):
        option = re.split(r"[\s=]", line, maxsplit=1)[0]
        # Short options may be written together with their value: -rother.txt.
        short = option if option.startswith("--") else option[:2]
        reason = _OPTIONS.get(short, "options are not allowed here, packages only; remove the line")
        return f"{printable(short)} is refused: {reason}", "not_allowed"
    requirement, *options = _BEFORE_OPTION.split(line)
    if any(not _HASH.fullmatch(option.strip()) for option in options):
        return "only --hash=sha256:… may follow a package", "not_allowed"
    return _package_problem(requirement)


def _source_problem(text: str) -> tuple[str, str] | None:
    """Whether the package would come from elsewhere than the index."""
    first = text.partition(";")[0].strip()
    if _VERSION_CONTROL.match(first):
        return _NO_VERSION_CONTROL, "not_allowed"
    if _URL.match(first):
        return _NO_ADDRESS, "not_allowed"
    bare = first.partition("[")[0].strip()
    if bare.startswith((".", "/", "~", "file:")) or "\\" in bare or _ARCHIVE.search(bare):
        return _NO_PATH, "not_allowed"
    return None


def _package_problem(text: str) -> tuple[str, str] | None:
    try:
        requirement = Requirement(text)
    except (ValueError, RecursionError) as error:
        malformed = f"it is not a valid requirement ({_first_line(str(error))})"
        if single := _SINGLE_EQUALS.fullmatch(text):
            malformed = f"a version is named with two signs: {single[1]}=={single[2]}"
        return _source_problem(text) or (malformed, "invalid")
    if requirement.url is not None:
        controlled = _VERSION_CONTROL.match(requirement.url)
        return _NO_VERSION_CONTROL if controlled else _NO_ADDRESS, "not_allowed"
    # A file's name can look like a package's.
    return _source_problem(text)


def _first_line(message: str) -> str:
    return printable(message.split("\n", 1)[0])
