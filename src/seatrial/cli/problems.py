"""How errors are told: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.domain.errors import FieldProblem, InvalidRequest, SeatrialError

from .escape import safe
from .lines import Line, Span, line

_LONGEST_SOURCE = 160


@dataclass(frozen=True)
class Sources:
    """Where the submitted texts came from, so that a problem points into the user's own files.

    `files` holds the texts by the names that they are sent under, `origins` their paths here.
    `options` says which option of the command a field was typed as.
    """

    files: Mapping[str, str] = field(default_factory=dict[str, str])
    origins: Mapping[str, Path] = field(default_factory=dict[str, Path])
    requirements: str = ""
    requirements_path: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])


def lines_of(error: SeatrialError, sources: Sources | None = None) -> list[Line]:
    """What to show of an error. Never a traceback."""
    if isinstance(error, InvalidRequest):
        found = [
            one for problem in error.problems for one in _problem(problem, sources or Sources())
        ]
    else:
        found = [line(Span("Error: ", "bad"), error.message)]
    if error.hint:
        found.append(line(error.hint))
    return found


def lines_of_defect(error: Exception) -> list[Line]:
    """What to show of an error that nobody expected: a defect of ours, whatever caused it."""
    return [
        line(Span("Error: ", "bad"), f"Seatrial itself failed: {type(error).__name__}: {error}"),
        line("Run it again with SEATRIAL_LOG_LEVEL=debug for the trace, and report that."),
    ]


def _problem(problem: FieldProblem, sources: Sources) -> Iterator[Line]:
    place, text = _place(problem, sources)
    yield line(Span("Error: ", "bad"), Span(f"{place}: ", "strong"), problem.message)
    if text is not None and problem.line is not None:
        yield from _excerpt(text, problem.line, problem.column)


def _place(problem: FieldProblem, sources: Sources) -> tuple[str, str | None]:
    """`path:line:column` with the text that they point into, else the field's own name."""
    name, text = _name(problem.field, sources), None
    if problem.file is not None:
        name = str(sources.origins.get(problem.file, problem.file))
        text = sources.files.get(problem.file)
    elif problem.field == "requirements" and sources.requirements_path is not None:
        name, text = str(sources.requirements_path), sources.requirements
    numbers = [str(number) for number in (problem.line, problem.column) if number is not None]
    return ":".join([name, *numbers]), text


def _name(field: str, sources: Sources) -> str:
    """The option that a field was typed as, with the entry of it that is meant."""
    if field in sources.options:
        return sources.options[field]
    whole, _, entry = field.partition(".")
    return f"{sources.options[whole]} {entry}" if whole in sources.options else field


def _excerpt(text: str, number: int, column: int | None) -> Iterator[Line]:
    """The source line and, under the column, a caret."""
    source = text.split("\n")[number - 1 : number]
    if not source:
        return
    shown = source[0].rstrip("\r")
    start = max(0, (column or 1) - _LONGEST_SOURCE)
    yield line(Span("    "), shown[start : start + _LONGEST_SOURCE])
    if column is not None:
        # Tabs stay tabs, so that the caret stands under its character at any tab width.
        before = safe(shown[start : column - 1])
        blank = "".join("\t" if char == "\t" else " " for char in before)
        yield line(Span(f"    {blank}"), Span("^", "bad"))
