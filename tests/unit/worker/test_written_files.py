"""The list of files that an agent left: made within bounds, and believed within bounds."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from seatrial.domain.events import NoticeEvent
from seatrial.domain.record import AttemptRecord
from seatrial.domain.tests import Result
from seatrial.harness import written as listing
from seatrial.harness.protocol import ResultFrame, WrittenFrame, encode, harness_decoder
from seatrial.harness.written import written
from seatrial.worker.frames import events_of

_SHA = "a" * 64


def _result(_: ResultFrame) -> Result:
    raise AssertionError


def _list(root: Path, files: dict[str, str] | None = None) -> WrittenFrame | None:
    return written(files or {}, os.geteuid(), (str(root / "agent"), str(root / "home")))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("agent", "home"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_new_and_changed_files_are_listed_and_those_as_they_were_sent_are_not(root: Path) -> None:
    sent = {"agent.py": "x = 1", "data/a.txt": "é"}
    for name, text in sent.items():
        (root / "agent" / name).parent.mkdir(exist_ok=True)
        (root / "agent" / name).write_text(text)
    assert _list(root, sent) is None
    (root / "agent/data/a.txt").write_text("changed")
    (root / "home/.cache").mkdir()
    (root / "home/.cache/index").write_bytes(b"\0\1")
    frame = _list(root, sent)
    assert frame is not None
    assert frame.sizes == {f"{root}/agent/data/a.txt": 7, f"{root}/home/.cache/index": 2}
    assert frame.hashes[f"{root}/home/.cache/index"] == hashlib.sha256(b"\0\1").hexdigest()


def test_links_pipes_and_names_that_are_no_text_are_not_listed(root: Path) -> None:
    (root / "agent/link").symlink_to("/etc/passwd")
    (root / "agent/folder").symlink_to("/etc")
    os.mkfifo(root / "agent/pipe")
    Path(os.fsdecode(os.fsencode(root / "agent") + b"/\xff")).write_text("x")
    assert _list(root) is None


def test_the_list_is_bounded_in_number_length_and_bytes_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "HASHED_BYTES", 10)
    for number in range(205):
        (root / f"agent/{number:03}").write_text("x" * 6)
    (root / "agent" / ("n" * 250)).write_text("")
    frame = _list(root)
    assert frame is not None
    assert (len(frame.sizes), len(frame.hashes)) == (200, 1)
    assert frame.more == 6
    assert harness_decoder().feed(encode(frame, 1)) == [(1, frame)]


def test_a_list_becomes_one_notice_and_the_record_keeps_it() -> None:
    frame = WrittenFrame({"/agent/a": 1, "/home/agent/b": 2}, {"/agent/a": _SHA}, 3)
    (event,) = events_of(frame, _result)
    assert isinstance(event, NoticeEvent)
    assert event.message == "The agent left /agent/a, /home/agent/b and 3 more files."
    record = AttemptRecord().with_event(1, event, None)
    assert [(one.path, one.size, one.sha256) for one in record.files] == [
        ("/agent/a", 1, _SHA),
        ("/home/agent/b", 2, ""),
    ]
    assert record.files_not_listed == 3


@pytest.mark.parametrize(
    ("path", "size", "digest"),
    [
        ("/etc/passwd", 1, _SHA),
        ("/agent/../etc/passwd", 1, _SHA),
        ("/agent/", 1, _SHA),
        ("agent/a", 1, _SHA),
        ("/agent/a\x1b[31m", 1, _SHA),
        ("/agent/" + "a" * 400, 1, _SHA),
        ("/agent/a", -1, _SHA),
        ("/agent/a", 1, "no hash"),
        ("/agent/a", 1, _SHA + "\n"),
    ],
)
def test_what_no_harness_of_ours_sends_is_dropped(path: str, size: int, digest: str) -> None:
    assert events_of(WrittenFrame({path: size}, {path: digest}, 0), _result) == []


def test_more_files_than_the_limit_are_counted_and_not_kept() -> None:
    frame = WrittenFrame({f"/agent/{n}": n for n in range(1000)}, {}, -5)
    (event,) = events_of(frame, _result)
    assert isinstance(event, NoticeEvent)
    assert (len(event.data["files"]), event.data["more"]) == (200, 800)
