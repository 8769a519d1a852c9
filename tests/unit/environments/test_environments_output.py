"""A stage's output costs time in proportion to its length, whatever its lines are."""

from __future__ import annotations

import pytest
from tests.support.growth import assert_linear

from seatrial.environments.diagnose import StageResult, error_of
from seatrial.environments.output import MOST_CHARACTERS, StageOutput

SHAPES = {
    "line ends": "\n",
    "blanks": " ",
    "words": "a ",
    "letters": "a",
    "resolved": "Resolved 1 package\n",
    "no solution": "error: No solution found\n",
    "build errors": "error: Failed to build `",
    "unclosed brackets": "a[",
    "causes": "  cause: x\n",
    "requires": "x requires Python ",
    "no wheels": "has no wheels with a matching ",
}


@pytest.mark.parametrize("stage", ["fetch", "sources", "install"])
@pytest.mark.parametrize("shape", SHAPES)
def test_output_takes_linear_time_to_keep_and_to_explain(stage: str, shape: str) -> None:
    piece = SHAPES[shape]

    def work(size: int) -> None:
        output = StageOutput(stage)  # type: ignore[arg-type]
        text = "error: No solution found\ncause: " + piece * (size // len(piece))
        for at in range(0, len(text), 16):
            output.feed(text[at : at + 16])
        output.flush()
        result = StageResult(stage=stage, code=1, reason="exited", output=output.text)  # type: ignore[arg-type]
        error_of(result)

    assert_linear(work, f"{shape} of {stage}", smallest=16_000)


def test_the_end_of_the_output_is_kept_and_whole_lines_are_shown() -> None:
    output = StageOutput("install")

    assert output.feed("one\ntw") == "one\n"
    assert output.feed("o\n") == "two\n"
    assert output.feed("rest") == ""
    assert output.flush() == "rest\n"
    assert output.flush() == ""
    assert output.text == "one\ntwo\nrest\n"


def test_a_line_without_end_is_shown_in_pieces_and_no_more_than_the_end_is_kept() -> None:
    output = StageOutput("install")
    shown = "".join(output.feed("x" * 1000) for _ in range(1000))

    assert shown.count("\n") == 3
    assert len(output.text) == MOST_CHARACTERS
