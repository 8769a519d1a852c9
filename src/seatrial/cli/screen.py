"""Where everything that people read goes out: the one place that escapes, colours and boxes.

On a terminal, lines have colours and panels have boxes; piped, all is plain text. JSON goes out
in ASCII, so that no character of it can act on a terminal either.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from pydantic import BaseModel

from .escape import safe, safe_lines, without_commands
from .lines import Line, Panel, Role, Span

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES: dict[Role, str] = {
    "plain": "",
    "dim": "dim",
    "strong": "bold",
    "good": "bold green",
    "bad": "bold red",
    "warn": "yellow",
    "name": "cyan",
}


class Screen:
    """Standard output and standard error. With `json_mode`, people's text goes to the latter."""

    def __init__(
        self, *, json_mode: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        """`out` and `err` are the process's own unless given."""
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self.json_mode = json_mode
        self._main = self._err if json_mode else self._out

    @property
    def rich(self) -> bool:
        """Whether people's text goes to a terminal that shows colours and boxes."""
        return _is_rich(self._main)

    def line(self, *parts: str | Span) -> None:
        """Show one line, or as many as the parts' own line ends make of it."""
        self.lines([tuple(Span(p) if isinstance(p, str) else p for p in parts)])

    def lines(self, lines: Iterable[Line]) -> None:
        """Show lines, escaped."""
        for one in lines:
            self._write(self._main, one)
        self._main.flush()

    def problem(self, *parts: str | Span) -> None:
        """Show one line on standard error."""
        self._write(self._err, tuple(Span(p) if isinstance(p, str) else p for p in parts))
        self._err.flush()

    @property
    def passes(self) -> bool:
        """Whether standard error shows what is `passing`."""
        return _is_rich(self._err)

    def passing(self, text: str = "") -> None:
        """Show a line on standard error that the next such one replaces, where it is a terminal."""
        if self.passes:
            width = shutil.get_terminal_size().columns - 1
            self._err.write(f"\r\x1b[2K{safe(text)[:width]}")
            self._err.flush()

    def problems(self, lines: Iterable[Line]) -> None:
        """Show lines on standard error."""
        for one in lines:
            self._write(self._err, one)
        self._err.flush()

    def json(self, value: BaseModel | dict[str, Any]) -> None:
        """Write one JSON line to standard output."""
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        text = json.dumps(plain, ensure_ascii=True, separators=(",", ":"))
        # The same value, but nothing that a build server takes for a command.
        self._out.write(re.sub("#(?=#)", r"\\u0023", text) + "\n")
        self._out.flush()

    def panel(self, panel: Panel) -> None:
        """Show a panel."""
        if not self.rich:
            self.line()
            self.line(Span(panel.title, panel.role))
            self.lines((Span("  "), *one) for one in panel.lines)
            return
        from rich.panel import Panel as Box
        from rich.text import Text

        body = Text("\n").join(_text(one) for one in panel.lines)
        title = Text(safe(panel.title), _STYLES[panel.role])
        self._console.print(Box(body, title=title, title_align="left", padding=(0, 1)))

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[Span | str]]) -> None:
        """Show aligned columns; the last one takes what room is left."""
        cells = [[one if isinstance(one, Span) else Span(one) for one in row] for row in rows]
        shown = [[Span(safe(one.text), one.role) for one in row] for row in cells]
        widths = [
            max([len(header), *(len(row[place].text) for row in shown)])
            for place, header in enumerate(headers)
        ]
        widths[-1] = 0
        self.lines(
            tuple(
                Span(one.text.ljust(width) + "  ", one.role)
                for one, width in zip(row, widths, strict=True)
            )
            for row in [[Span(header, "strong") for header in headers], *shown]
        )

    def _write(self, stream: TextIO, one: Line) -> None:
        if stream is self._main and self.rich:
            self._console.print(_text(one), soft_wrap=True)
            return
        text = "".join(_safe_text(span) for span in one).rstrip(" ")
        if _on_a_build_server():
            text = "\n".join(without_commands(part) for part in text.split("\n"))
        stream.write(f"{text}\n")

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=self._main, highlight=False, markup=False, emoji=False)


def _is_rich(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


def _on_a_build_server() -> bool:
    return bool(os.environ.get("CI") or os.environ.get("TF_BUILD"))


def _safe_text(span: Span) -> str:
    return "\n".join(safe_lines(span.text)) if "\n" in span.text else safe(span.text)


def _text(one: Line) -> Text:
    from rich.text import Text

    text = Text()
    for span in one:
        text.append(_safe_text(span), _STYLES[span.role])
    return text
