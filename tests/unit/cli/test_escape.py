"""Foreign text on the terminal: nothing in it acts."""

from __future__ import annotations

import io
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.cli.escape import safe, safe_lines, without_commands
from seatrial.cli.lines import Panel, Span, line
from seatrial.cli.screen import Screen

_ANY = st.text(st.characters())
_NASTY = st.text(
    st.sampled_from(
        "\x1b[]31m\x07\x00\x08\r\x7f\x85\x9b\x9d\u202e\u2066\u200b\ufeff\u2028\ud800\t a"
    )
)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _acts(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and char not in "\t\u200c\u200d"
    )


@given(st.one_of(_ANY, _NASTY))
def test_no_safe_line_holds_a_character_that_acts(text: str) -> None:
    assert [char for char in safe(text) if _acts(char)] == []
    assert all(not _acts(char) for one in safe_lines(text) for char in one)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_ordinary_text_in_any_script_is_left_as_it_is(text: str) -> None:
    assert safe(text) == text


@given(st.one_of(_ANY, _NASTY))
def test_only_line_ends_are_lost_by_splitting(text: str) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "\n".join(safe_lines(text)) == "\n".join(
        safe(one) for one in plain.split("\n")
    ).removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::forged", r"\x3a:error::forged"),
        ("  \t::set-env name=x::y", "  \t\\x3a:set-env name=x::y"),
        ("a ##vso[task.x]y", r"a \x23#vso[task.x]y"),
        ("###[error]", r"#\x23#[error]"),
        ("a std::vector ## heading", "a std::vector ## heading"),
        (": one", ": one"),
    ],
)
def test_what_a_build_server_obeys_is_written_out(text: str, shown: str) -> None:
    assert without_commands(text) == shown


@pytest.mark.parametrize("variable", ["CI", "TF_BUILD"])
def test_on_a_build_server_no_line_is_a_command(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    out = io.StringIO()
    monkeypatch.delenv("CI", raising=False)
    Screen(out=out).line("::warning::of nobody's interest")
    monkeypatch.setenv(variable, "true")
    screen = Screen(out=out)
    screen.panel(Panel("::stop-commands::x", "good", (line("::error::a"), line("##[error]b"))))
    assert out.getvalue().splitlines() == [
        "::warning::of nobody's interest",
        "",
        r"\x3a:stop-commands::x",
        r"  \x3a:error::a",
        r"  \x23#[error]b",
    ]


def test_json_holds_no_command_and_says_the_same() -> None:
    out = io.StringIO()
    Screen(out=out, json_mode=True).json({"text": "###vso[x]\\##[y]"})
    assert "##" not in out.getvalue()
    assert json.loads(out.getvalue()) == {"text": "###vso[x]\\##[y]"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\x9bb", r"a\x9bb"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("\tx", "\tx"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_what_acts_is_written_out(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(
    st.one_of(_ANY, _NASTY, st.sampled_from(["[bold]x[/bold]", "[link=http://x]y[/]", ":smile:"]))
)
def test_a_terminal_gets_the_texts_own_letters_and_our_colours_only(text: str) -> None:
    terminal = _Terminal()
    Screen(out=terminal).lines([line(Span(one, "bad")) for one in [text]])
    colours = re.compile(r"\x1b\[[0-9;]*m")
    shown = colours.sub("", terminal.getvalue())
    assert [char for char in shown if _acts(char) and char != "\n"] == []
    expected = "\n".join(safe_lines(text)) if "\n" in text else safe(text)
    assert shown.replace(" ", "").rstrip("\n") == expected.expandtabs().replace(" ", "").rstrip(
        "\n"
    )


@given(st.one_of(_ANY, _NASTY))
def test_json_lines_are_one_line_of_ascii_whatever_the_text(text: str) -> None:
    out = io.StringIO()
    Screen(json_mode=True, out=out, err=io.StringIO()).json({"text": text})
    written = out.getvalue()
    assert written.isascii()
    assert written.count("\n") == 1
    assert all(char.isprintable() for char in written[:-1])


def test_a_terminal_gets_boxes_and_a_pipe_plain_indented_text() -> None:
    panel = Panel("title", "bad", (line("one"), line("two")))
    terminal, pipe = _Terminal(), io.StringIO()
    Screen(out=terminal).panel(panel)
    Screen(out=pipe).panel(panel)
    assert "╭" in terminal.getvalue()
    assert pipe.getvalue() == "\ntitle\n  one\n  two\n"


def test_tables_are_aligned_by_what_is_seen() -> None:
    pipe = io.StringIO()
    Screen(out=pipe).table(("A", "B"), [("\x1b", "x"), ("long one", "y")])
    assert pipe.getvalue().splitlines() == ["A         B", r"\x1b      x", "long one  y"]


def test_with_json_everything_for_people_goes_to_standard_error() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(json_mode=True, out=out, err=err)
    screen.line("hello")
    screen.problem("oh")
    assert (out.getvalue(), err.getvalue()) == ("", "hello\noh\n")
