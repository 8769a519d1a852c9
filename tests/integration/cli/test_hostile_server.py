"""A server that is somebody else's: it chooses no path here and writes nothing to the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from seatrial.cli.saving import package_path
from seatrial.domain.errors import SetupFailed
from seatrial.domain.packages import PackageInfo
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
OWN = "seatrial-t1-compose.zip"
NAMES = [
    *("../escaped.zip", "../../.ssh/authorized_keys", "/tmp/escaped.zip", "sub/x.zip", "..", "."),
    *("", "x.zip", "agent.py", ".bashrc", "seatrial-.zip", "seatrial-t1.zip/", "seatrial-a/b.zip"),
    *("seatrial-t1\x1b[2J.zip", "seatrial-t1.zip\n", "seatrial-t1.zip\0", "seatrial-t1.exe"),
    *("C:\\x.zip", "seatrial-..\\x.zip", "seatrial-" + "a" * 300 + ".zip", "-rf.zip", "~/x.zip"),
]


@dataclass
class Hostile:
    """Answers what it likes to each request, by method and path."""

    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        found = self.answers.get(f"{method} {path.partition('?')[0]}")
        status = 200 if found is not None else 400
        problem = {"title": ESCAPES, "detail": ESCAPES, "hint": ESCAPES, "code": "invalid_request"}
        body = found if isinstance(found, bytes) else json.dumps(found or problem).encode()
        kind = "application/json" if found is not None else "application/problem+json"
        writer.write(
            f"HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def hostile() -> AsyncIterator[Hostile]:
    made = Hostile()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    test = Test(
        id="t1",
        owner="",
        request=TestRequest(files={"agent.py": ""}, query=ESCAPES),
        phase=Phase.COMPLETED,
        outcome=Outcome.SUCCEEDED,
        last_event=1,
        created_at=NOW,
    )
    made.answers = {
        "GET /api/v1/tests/t1": test.model_dump(mode="json"),
        "GET /api/v1/tests/t1/packages/compose.zip": b"PK of the server's",
        "POST /api/v1/tests/t1/packages": _made(OWN),
    }
    async with server:
        yield made


def _made(name: str) -> dict[str, Any]:
    return PackageInfo(
        target="compose",
        file_name=name,
        size_bytes=1,
        sha256="0" * 64,
        files=(ESCAPES,),
        notes=(ESCAPES,),
        made_at=NOW,
        download="/x",
    ).model_dump(mode="json")


async def typed(hostile: Hostile, folder: Path, *arguments: str) -> tuple[int | None, bytes]:
    """The command's exit code and everything that it wrote to the terminal."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "seatrial.cli.main", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, "SEATRIAL_URL": hostile.url, "HOME": str(folder)},
    )
    out, _ = await process.communicate()
    return process.returncode, out


def _acts(output: bytes) -> bool:
    return any(char in output.decode() for char in "\x1b\x07\x9b\u202e")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the command is typed; beside it nothing may appear."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "agent.py").write_text("mine")
    return made


async def test_a_server_that_behaves_has_its_package_saved(hostile: Hostile, folder: Path) -> None:
    code, output = await typed(hostile, folder, "package", "t1")
    assert code == 0, output
    assert (folder / OWN).read_bytes() == b"PK of the server's"
    assert not _acts(output), output


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_is_not_ours_becomes_no_path(name: str) -> None:
    with pytest.raises(SetupFailed, match="not one that Seatrial gives"):
        package_path(name)


async def test_the_server_chooses_no_file(hostile: Hostile, folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    hostile.answers["POST /api/v1/tests/t1/packages"] = _made("../escaped\x1b[2J.zip")
    code, output = await typed(hostile, folder, "package", "t1")
    assert code == 3
    assert not _acts(output)
    assert sorted(tmp_path.rglob("*")) == before


async def test_a_link_under_our_own_name_is_not_followed(
    hostile: Hostile, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("mine")
    (folder / OWN).symlink_to(tmp_path / "precious")
    code, _ = await typed(hostile, folder, "package", "t1")
    assert code == 3
    assert (tmp_path / "precious").read_text() == "mine"


async def test_a_name_that_the_user_gives_is_taken(hostile: Hostile, folder: Path) -> None:
    hostile.answers["POST /api/v1/tests/t1/packages"] = _made("../escaped.zip")
    code, output = await typed(hostile, folder, "package", "t1", "-o", "mine.zip")
    assert code == 0, output
    assert (folder / "mine.zip").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        *(("tests", "show", "t1"), ("package", "t1", "--list"), ("run", "agent.py", "q")),
    ],
    ids=" ".join,
)
async def test_no_command_lets_the_server_act_on_the_terminal(
    hostile: Hostile, folder: Path, arguments: tuple[str, ...]
) -> None:
    hostile.answers = {}  # every answer is an error whose text is the server's
    code, output = await typed(hostile, folder, *arguments)
    assert code != 0, output
    assert not _acts(output), output
