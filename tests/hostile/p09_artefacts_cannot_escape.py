"""P9: what a container leaves behind cannot lead, or be written, to another place of the host."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environments.wheels import BadWheel, Wheelhouse
from seatrial.harness.collect import collect
from seatrial.harness.protocol import FileFrame, NoticeFrame

from .conftest import Place
from .corpus import Corpus

CANARY = "the host's own secret"
NAMES = ("a\nb", "\x1b[31mred", "-rf", "CON", "x;touch y", "$(id)", "nul\u202etxt.exe")
_PIECES = st.sampled_from(
    (
        "..",
        "/",
        "\\",
        "\0",
        "\n",
        "\x1b",
        "~",
        "C:",
        "six",
        "-1.0-py3-none-any",
        ".whl",
        ".",
        " ",
        "é",
    )
)


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_what_an_agent_plants_stays_in_its_container(place: Place, corpus: Corpus) -> None:
    end = corpus.end("traversal_artifacts")
    assert "planted" in end.response
    planted = ("escaped", "escaped_abs", "escaped_link", "bundle.tar")
    for folder in (Path("/tmp/outside"), Path("/tmp"), place.serving.data_dir):
        assert not [name for name in planted if (folder / name).exists()], folder
    assert place.host.left_of(end.test.id) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_only_regular_files_of_the_agents_own_are_collected(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    secret.chmod(0o600)
    out = tmp_path / "out"
    out.mkdir()
    for folder in (*tmp_path.parents, tmp_path, out):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    (out / "result.json").symlink_to(secret)
    (out / "folder").symlink_to(tmp_path)
    os.link(secret, out / "hard")
    os.mkfifo(out / "pipe")
    for name in NAMES:
        (out / name).write_text("mine")
    for path in out.iterdir():
        if path.is_file() and not path.is_symlink() and path.name != "hard":
            os.chown(path, 30_000, 30_000)
    out.chmod(0o777)

    frames = list(collect([f"{out}/*", f"{out}/folder/*", f"{out}/../secret"], 30_000))
    files = [frame for frame in frames if isinstance(frame, FileFrame)]
    assert {base64.b64decode(frame.data_b64).decode() for frame in files} == {"mine"}
    assert {Path(frame.name).name for frame in files} == set(NAMES)
    skipped = " ".join(frame.message for frame in frames if isinstance(frame, NoticeFrame))
    for name in ("result.json", "hard", "pipe"):
        assert name in skipped


@given(st.lists(_PIECES, max_size=8).map("".join) | st.text(max_size=40), st.binary(max_size=64))
def test_no_name_makes_a_wheel_be_written_elsewhere(name: str, content: bytes) -> None:
    folder = Path("/nowhere/at/all")
    with pytest.raises(BadWheel):
        Wheelhouse(folder).add(name, content, {"six"})
    assert not folder.exists()
