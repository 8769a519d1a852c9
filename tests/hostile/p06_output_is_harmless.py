"""P6: nothing that an agent writes acts on the host, a terminal, a page or a build server."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence

import httpx
import pytest

from .conftest import ONE_ENGINE, Place
from .corpus import Corpus

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600), ONE_ENGINE]

NASTY = ("terminal_injection", "terminal_exception", "binary_output", "ci_commands")
_OUR_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_THEIR_COLOURS = "\x1b[31m"
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_COMMAND = re.compile(r"^\s*::|##\[|##vso\[", re.MULTILINE)


def _acting(text: str) -> list[str]:
    """Characters that do something rather than show something."""
    return [c for c in text if unicodedata.category(c) in _ACTING and c not in "\n\t\u200c\u200d"]


def _on_a_terminal(place: Place, arguments: Sequence[str]) -> str:
    """What the command writes to a real (pseudo) terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "seatrial", *arguments],
        env={**place.serving.client_environment, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    assert process.wait() == 0
    return written.decode("utf-8").replace("\r\n", "\n")


@pytest.mark.spec("edge-2")
@pytest.mark.parametrize("agent", NASTY)
@pytest.mark.parametrize("command", ["show", "logs"])
def test_the_command_line_writes_no_byte_that_acts(
    place: Place, corpus: Corpus, agent: str, command: str
) -> None:
    test_id = corpus.end(agent).test.id
    piped = place.serving.cli("tests", command, test_id)
    assert piped.returncode == 0
    assert _acting(piped.stdout + piped.stderr) == []

    if agent.startswith("terminal"):
        shown = _on_a_terminal(place, ["tests", command, test_id])
        assert _THEIR_COLOURS not in shown
        assert r"\x1b" in shown
        assert _acting(_OUR_COLOURS.sub("", shown)) == []


@pytest.mark.parametrize("agent", NASTY)
def test_json_is_ascii_and_says_exactly_what_was_written(
    place: Place, corpus: Corpus, agent: str
) -> None:
    end = corpus.end(agent)
    done = place.serving.cli("tests", "logs", "--json", end.test.id)
    assert done.stdout.isascii()
    assert _acting(done.stdout) == []
    texts = [json.loads(line).get("data", {}).get("text", "") for line in done.stdout.splitlines()]
    assert "".join(texts).startswith(end.output[:200])
    assert not _COMMAND.search(done.stdout)


@pytest.mark.parametrize("command", ["show", "logs"])
def test_a_build_server_finds_no_command(place: Place, corpus: Corpus, command: str) -> None:
    test_id = corpus.end("ci_commands").test.id
    environment = {**place.serving.client_environment, "CI": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", "tests", command, test_id],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "forged" in done.stdout
    assert _COMMAND.search(done.stdout) is None


def test_a_browser_never_takes_an_answer_for_a_page(place: Place, corpus: Corpus) -> None:
    end = corpus.end("html_injection")
    base = f"{place.serving.url}/api/v1/tests/{end.test.id}"
    for url, accepted in ((base, "text/html"), (f"{base}/events", "text/event-stream")):
        headers = {"Accept": accepted, **place.serving.headers}
        with httpx.stream("GET", url, headers=headers) as answer:
            kind = answer.headers["content-type"]
            assert kind.startswith(("application/json", "text/event-stream"))
            assert answer.headers["x-content-type-options"] == "nosniff"
            body = answer.read().decode()
    assert body.count("\nid:") + body.startswith("id:") == len(end.events)
