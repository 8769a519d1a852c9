"""Errors as people see them, and what is checked before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seatrial.cli.lines import text_of
from seatrial.cli.problems import Sources, lines_of, lines_of_defect
from seatrial.cli.submission import Wanted, check, prepare, said
from seatrial.cli.times import ago, megabytes, point_before
from seatrial.domain.errors import FieldProblem, InvalidRequest, NotFound
from seatrial.settings import Settings

_NOW = datetime(2026, 1, 31, tzinfo=UTC)


def _shown(error: InvalidRequest, sources: Sources) -> list[str]:
    return [text_of(one) for one in lines_of(error, sources)]


def _refused(wanted: Wanted, settings: Settings | None = None) -> list[str]:
    submission = prepare(wanted)
    with pytest.raises(InvalidRequest) as caught:
        check(submission.request, settings or Settings())
    return _shown(caught.value, submission.sources)


def _agent(folder: Path, text: str, name: str = "agent.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_syntax_error_shows_the_users_own_path_the_line_and_a_caret(tmp_path: Path) -> None:
    agent = _agent(tmp_path, "x = 1\nif x:\n\treturn )\n", "bot.py")
    head, source, caret = _refused(Wanted(agent, "q"))
    assert f"{agent}:3:9: " in head
    assert source == "    \treturn )"
    assert caret == "    \t       ^"


def test_a_bad_requirement_points_into_the_requirements_file(tmp_path: Path) -> None:
    agent = _agent(tmp_path, "")
    (tmp_path / "requirements.txt").write_text("rich\n-e .\n")
    head, source = _refused(Wanted(agent, "q"))
    assert f"{tmp_path / 'requirements.txt'}:2: " in head
    assert source == "    -e ."


def test_the_caret_stands_right_after_escaped_characters_and_in_long_lines() -> None:
    problem = InvalidRequest((FieldProblem("files", "no", file="a.py", line=1, column=3),))
    lines = _shown(problem, Sources({"a.py": "\x1bx!"}))
    assert lines[2] == "    " + " " * len(r"\x1bx") + "^"
    far = InvalidRequest((FieldProblem("files", "no", file="a.py", line=1, column=5000),))
    lines = _shown(far, Sources({"a.py": "y" * 4999 + "!" + "y" * 99}))
    assert lines[1][lines[2].index("^")] == "!"


def test_a_place_outside_the_text_shows_no_excerpt() -> None:
    for line, column in ((9, 1), (9, None)):
        problem = InvalidRequest(
            (FieldProblem("files", "no", file="a.py", line=line, column=column),)
        )
        assert len(_shown(problem, Sources({"a.py": "x"}))) == 1


def test_problems_name_the_options_that_were_typed(tmp_path: Path) -> None:
    agent = _agent(tmp_path, "")
    lines = _refused(Wanted(agent, "", model="foo", timeout_seconds=0, memory_mb=1))
    assert [one.split(": ")[1] for one in lines] == ["--model", "QUERY", "--timeout", "--memory"]
    lines = _refused(
        Wanted(agent, "q", model_calls=0, model_tokens=-1, traffic_mb=0, concurrent_calls=0)
    )
    assert [one.split(": ")[1] for one in lines] == [
        *("--model-calls", "--model-tokens", "--traffic", "--concurrent-calls")
    ]


def test_another_servers_maxima_are_left_to_that_server(tmp_path: Path) -> None:
    wanted = Wanted(_agent(tmp_path, ""), "q", memory_mb=900_000)
    assert len(_refused(wanted)) == 1
    check(prepare(wanted).request, Settings(url="http://elsewhere"))


@pytest.mark.parametrize(
    ("entry", "sent"),
    [
        (None, None),
        ("main", "agent.py:main"),
        ("bot.py:main", "agent.py:main"),
        ("other.py:main", "other.py:main"),
    ],
)
def test_the_entry_point_is_named_as_it_is_sent(
    tmp_path: Path, entry: str | None, sent: str | None
) -> None:
    agent = _agent(tmp_path, "", "bot.py")
    assert prepare(Wanted(agent, "q", entry=entry)).request.entry_point == sent


def test_what_is_sent_and_what_is_not_is_said(tmp_path: Path) -> None:
    agent = _agent(tmp_path, "import tools", "bot.py")
    _agent(tmp_path, "", "tools.py")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.bin").write_bytes(b"\0")
    (tmp_path / "requirements.txt").write_text("# two\nrich\n\nhttpx\n")
    shown = [text_of(one) for one in said(prepare(Wanted(agent, "q", (tmp_path / "data",))))]
    assert "bot.py as agent.py, tools.py (12 bytes)" in shown[0]
    assert "2 from" in shown[1]
    assert "data/x.bin: It is a binary file" in shown[2]


def test_requirements_elsewhere_are_taken_when_named(tmp_path: Path) -> None:
    agent = _agent(tmp_path, "")
    other = tmp_path / "other.txt"
    other.write_text("rich")
    assert prepare(Wanted(agent, "q", requirements=other)).request.requirements == "rich"
    with pytest.raises(InvalidRequest, match="no such"):
        prepare(Wanted(agent, "q", requirements=tmp_path / "missing.txt"))


def test_an_error_shows_its_message_and_what_to_do_and_a_defect_how_to_report_it() -> None:
    assert [text_of(one) for one in lines_of(NotFound("No.", hint="Look."))] == [
        "Error: No.",
        "Look.",
    ]
    assert "SEATRIAL_LOG_LEVEL=debug" in text_of(lines_of_defect(KeyError("x"))[-1])


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("30d", _NOW - timedelta(days=30)),
        ("2w", _NOW - timedelta(weeks=2)),
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05T10:00:00+02:00", datetime(2026, 1, 5, 8, tzinfo=UTC)),
    ],
)
def test_a_time_is_an_age_or_a_date(text: str, point: datetime) -> None:
    assert point_before(text, _NOW) == point


@pytest.mark.parametrize("text", ["", "soon", "30", "-3d", "999999w", "\u0661d"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="30d"):
        point_before(text, _NOW)


def test_ages_and_sizes_are_short() -> None:
    seconds = (0, 59, 61, 7200, 200_000)
    assert [ago(_NOW - timedelta(seconds=s), _NOW) for s in seconds] == [
        *("0 s", "59 s", "1 m", "2 h", "2 d"),
    ]
    assert (megabytes(1_500_000), megabytes(2_000_000_000)) == ("1.5 MB", "2.0 GB")
