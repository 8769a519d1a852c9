"""Files in the encodings of other systems are read as they are meant, or refused by name."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.cli.collect import collect
from seatrial.cli.decoding import UndecodableError, decode_file, decode_requirements
from seatrial.cli.submission import Wanted, prepare
from seatrial.domain.errors import InvalidRequest

TEXT = "idna\r\n# café\r\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), TEXT),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT),
        ("idna==3.10\r\n".encode("utf-16-le"), "idna==3.10\r\n"),
        ("idna==3.10\n".encode("utf-16-be"), "idna==3.10\n"),
        (TEXT.encode("utf-32"), TEXT),
        (TEXT.encode("utf-8-sig"), TEXT),
        (TEXT.encode(), TEXT),
        (TEXT.encode("cp1252"), TEXT),
        ("# “smart” quotes\nidna".encode("cp1252"), "# “smart” quotes\nidna"),
        ("# -*- coding: koi8-r -*-\n# да\nidna".encode("koi8-r"), None),
        ("#!/x\n# vim: set fileencoding=shift_jis :\n# 日本\nidna".encode("shift_jis"), None),
        ("# coding=latin-1\nidna # é\n".encode("latin-1"), "# coding=latin-1\nidna # é\n"),
        (b"", ""),
    ],
)
def test_requirements_are_read_as_pip_reads_them(
    data: bytes, text: str | None, tmp_path: Path
) -> None:
    read = decode_requirements(data)
    assert not {"\ufeff", "\ufffd"} & set(read)
    assert text is None or read == text
    (tmp_path / "requirements.txt").write_bytes(data)
    (tmp_path / "agent.py").write_text("def run(query): return query")
    assert prepare(Wanted(tmp_path / "agent.py", "q")).request.requirements == read


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04\0\0idna", "binary file"),
        (b"# coding: rot13\nidna", "'rot13', which is no known encoding"),
        (b"# coding: undefined\nidna", "'undefined', which is no known encoding"),
        (b"# coding: idna\nxn--\xe9.x", "not the idna text"),
        (b"# coding: nonsense-8\nidna", "'nonsense-8', which is no known encoding"),
        (b"# coding: ascii\nidna # \xe9", "not the ascii text"),
        (b"\xff\xfei\0d\0n\0a\0\0", "not the utf-16-le text"),
    ],
)
def test_requirements_that_are_no_text_are_refused_with_the_remedy(
    data: bytes, says: str, tmp_path: Path
) -> None:
    (tmp_path / "reqs.in").write_bytes(data)
    (tmp_path / "agent.py").write_text("")
    with pytest.raises(InvalidRequest) as raised:
        prepare(Wanted(tmp_path / "agent.py", "q", requirements=tmp_path / "reqs.in"))
    (problem,) = raised.value.problems
    assert problem.field == "requirements"
    assert says in problem.message
    assert "save it as UTF-8" in problem.message
    assert "reqs.in" in problem.message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("x = 1\n".encode("utf-16"), "It is UTF-16 text; save it as UTF-8."),
        ("x = 1\n".encode("utf-16-be"), "It is UTF-16 text; save it as UTF-8."),
        ("x = 1\n".encode("utf-32"), "It is UTF-32 text; save it as UTF-8."),
        ("# a\nx = 'é'\n".encode("cp1252"), "line 2 has the byte 0xe9). Save it as UTF-8."),
        (
            "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
            "its coding line says latin-1). Save it as UTF-8 and remove that line.",
        ),
        (b"\x89PNG\0\0", "It is a binary file; only text can be sent."),
    ],
)
def test_other_files_are_refused_with_the_name_of_their_encoding(
    data: bytes, says: str, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_bytes(data)
    with pytest.raises(InvalidRequest) as raised:
        collect(tmp_path / "agent.py")
    assert says in raised.value.problems[0].message


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-16")))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for decode in (decode_file, decode_requirements):
        with suppress(UndecodableError):
            assert "\0" not in decode(data)


@pytest.mark.parametrize("before", ["rich", "rich\n", ""])
def test_the_line_to_type_keeps_the_last_line_whole(before: str, tmp_path: Path) -> None:
    """The command of the summary, as a shell runs it."""
    (tmp_path / "requirements.txt").write_text(before)
    command = "printf '\\n%s\\n' 'httpx' >> requirements.txt"
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True)
    lines = (tmp_path / "requirements.txt").read_text().split()
    assert lines == [*before.split(), "httpx"]
