"""Calls on one credential keep a pause together: in order, one first, nobody longer than it can."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import pytest

from seatrial.gateway import pauses
from seatrial.gateway.pauses import Line, Pauses, PauseTooLong, Turn

pytestmark = pytest.mark.spec("edge-4")

PAUSE = 0.1


class Caller:
    """One call that stands in line."""

    def __init__(
        self, line: Line, seen: list[int], number: int, deadline: float = math.inf
    ) -> None:
        self.told: list[float] = []
        self._line, self._seen, self._number, self._deadline = line, seen, number, deadline
        self.task = asyncio.create_task(self._call())

    async def _call(self) -> Turn:
        turn = await self._line.take(self._deadline, self.told.append)
        self._seen.append(self._number)
        return turn


async def paused(seconds: float = PAUSE) -> Line:
    line = Line()
    (await line.take(math.inf, _never)).answered(seconds)
    return line


def _never(_: float) -> None:
    raise AssertionError("nobody has to wait")


async def callers(line: Line, count: int) -> tuple[list[Caller], list[int]]:
    seen: list[int] = []
    made = [Caller(line, seen, number) for number in range(count)]
    await asyncio.sleep(0)
    return made, seen


async def test_without_a_pause_nobody_waits() -> None:
    line = Line()
    for answer in (None, None):
        turn = await line.take(0, _never)
        turn.answered(answer)
        turn.end()


async def test_after_a_pause_the_first_goes_alone_and_the_rest_follows_in_order() -> None:
    line = await paused()
    made, seen = await callers(line, 5)
    assert all(0 < told <= PAUSE for caller in made for told in caller.told)
    first = await made[0].task
    assert seen == [0]
    first.answered(None)
    await asyncio.gather(*(caller.task for caller in made))
    assert seen == [0, 1, 2, 3, 4]
    await line.take(0, _never)


async def test_a_first_that_is_refused_again_begins_the_pause_anew() -> None:
    line = await paused()
    made, seen = await callers(line, 3)
    loop = asyncio.get_running_loop()
    (await made[0].task).answered(PAUSE)
    began = loop.time()
    await made[1].task
    assert loop.time() - began >= PAUSE * 0.9
    assert seen == [0, 1]
    made[2].task.cancel()


async def test_a_first_without_any_answer_makes_way_for_the_next() -> None:
    line = await paused()
    made, seen = await callers(line, 3)
    (await made[0].task).end()
    await made[1].task
    assert seen == [0, 1]
    made[2].task.cancel()


async def test_a_first_whose_answer_takes_long_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pauses, "ALONE_SECONDS", PAUSE)
    line = await paused()
    made, _ = await callers(line, 4)
    await asyncio.gather(*(caller.task for caller in made))


async def test_a_caller_that_goes_away_leaves_the_line_at_once() -> None:
    line = await paused()
    made, seen = await callers(line, 3)
    made[0].task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await made[0].task
    await made[1].task
    assert seen == [1]
    made[2].task.cancel()


async def test_a_first_that_is_cancelled_as_it_goes_makes_way_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = await paused()
    made, seen = await callers(line, 2)
    let_go: Callable[[Turn], None] = getattr(pauses, "_admit")  # noqa: B009 - the very moment

    def let_go_and_cancel(turn: Turn) -> None:
        let_go(turn)
        made[0].task.cancel()

    monkeypatch.setattr(pauses, "_admit", let_go_and_cancel)
    await made[1].task
    assert seen == [1]
    assert made[0].task.cancelled()


async def test_nobody_waits_for_a_pause_that_outlasts_its_time() -> None:
    line = await paused(30)
    now = asyncio.get_running_loop().time()
    with pytest.raises(PauseTooLong) as caught:
        await line.take(now + 5, _never)
    assert 29 < caught.value.seconds <= 30


async def test_whoever_waits_is_told_when_the_pause_becomes_too_long() -> None:
    line = await paused(30)
    late = await line_turns(line)
    now = asyncio.get_running_loop().time()
    short, long = Caller(line, [], 0, now + 40), Caller(line, [], 1, now + 500)
    await asyncio.sleep(0)
    late.answered(100)
    with pytest.raises(PauseTooLong):
        await short.task
    assert not long.task.done()
    long.task.cancel()


async def line_turns(line: Line) -> Turn:
    """A call that was under way when the pause began."""
    return Turn(line, math.inf)


async def test_a_later_and_shorter_pause_does_not_end_the_longer_one() -> None:
    line = await paused(30)
    (await line_turns(line)).answered(0.01)
    now = asyncio.get_running_loop().time()
    with pytest.raises(PauseTooLong):
        await line.take(now + 5, _never)


async def test_a_good_answer_to_an_older_call_does_not_end_the_pause() -> None:
    line = await paused(30)
    (await line_turns(line)).answered(None)
    with pytest.raises(PauseTooLong):
        await line.take(asyncio.get_running_loop().time() + 5, _never)


async def test_no_pause_is_believed_to_be_longer_than_ten_minutes() -> None:
    line = await paused(10**9)
    with pytest.raises(PauseTooLong) as caught:
        await line.take(0, _never)
    assert caught.value.seconds <= pauses.LONGEST_SECONDS


async def test_each_credential_has_a_line_of_its_own_as_long_as_there_is_something_to_know() -> (
    None
):
    lines = Pauses()
    busy = lines.line("busy")
    await busy.take(math.inf, _never)
    paused_line = lines.line("paused")
    turn = await paused_line.take(math.inf, _never)
    turn.answered(30)
    turn.end()
    idle = lines.line("idle")
    lines.line("another")
    assert lines.line("busy") is busy
    assert lines.line("paused") is paused_line
    assert lines.line("idle") is not idle
