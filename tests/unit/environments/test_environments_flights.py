"""Concurrent callers share one piece of work."""

from __future__ import annotations

import asyncio

import pytest

from seatrial.environments.flights import Flights, LogCall, Telling


async def _ignore(text: str) -> None:
    pass


class Work:
    """Work that says something, then waits to be released."""

    def __init__(self, error: Exception | None = None) -> None:
        self.started = 0
        self.cancelled = 0
        self.has_said = asyncio.Event()
        self.release = asyncio.Event()
        self._error = error

    async def __call__(self, say: LogCall) -> int:
        self.started += 1
        await say("one\n")
        self.has_said.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        await say("two\n")
        if self._error:
            raise self._error
        return self.started


async def test_who_joins_late_hears_everything_and_gets_the_same() -> None:
    flights, work, late = Flights[int](), Work(), list[str]()

    async def hear(text: str) -> None:
        late.append(text)

    first = asyncio.create_task(flights.join("key", work, _ignore))
    await work.has_said.wait()
    second = asyncio.create_task(flights.join("key", work, hear))
    work.release.set()
    assert await asyncio.gather(first, second) == [1, 1]
    assert late == ["one\n", "two\n"]


async def test_other_keys_are_other_work_and_so_are_later_calls() -> None:
    flights, work = Flights[int](), Work()
    work.release.set()
    assert await flights.join("key", work, _ignore) == 1
    assert await flights.join("key", work, _ignore) == 2
    assert await flights.join("other", work, _ignore) == 3


async def test_an_error_is_everybodys_but_not_kept() -> None:
    flights, work = Flights[int](), Work(ValueError("no"))
    callers = [asyncio.create_task(flights.join("key", work, _ignore)) for _ in range(3)]
    await work.has_said.wait()
    work.release.set()
    ends = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(end) for end in ends] == ["no"] * 3
    assert work.started == 1
    with pytest.raises(ValueError, match="no"):
        await flights.join("key", work, _ignore)


async def test_the_work_goes_on_while_somebody_waits_and_ends_with_the_last() -> None:
    flights, work = Flights[int](), Work()
    first = asyncio.create_task(flights.join("key", work, _ignore))
    second = asyncio.create_task(flights.join("key", work, _ignore))
    await work.has_said.wait()
    first.cancel()
    await asyncio.wait({first})
    assert (first.cancelled(), work.cancelled) == (True, 0)
    second.cancel()
    await asyncio.wait({second})
    assert (second.cancelled(), work.cancelled) == (True, 1)


async def test_a_listener_that_fails_takes_only_itself_away() -> None:
    flights, work = Flights[int](), Work()

    async def fail(text: str) -> None:
        raise ValueError(text)

    good = asyncio.create_task(flights.join("key", work, _ignore))
    with pytest.raises(ValueError, match="one"):
        await flights.join("key", work, fail)
    work.release.set()
    assert await good == 1


async def test_the_last_line_with_words_is_remembered() -> None:
    passed: list[str] = []

    async def log(text: str) -> None:
        passed.append(text)

    say = Telling(log)
    for text in ("one\n two\n", "\n"):
        await say(text)
    assert (say.last, passed) == ("two", ["one\n two\n", "\n"])
