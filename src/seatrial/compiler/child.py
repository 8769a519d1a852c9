"""One child process that compiles: started with limits, asked, and ended."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self, cast

from seatrial.domain.validation import Finding
from seatrial.domain.validation import syntax as syntax_module
from seatrial.domain.validation.syntax import REFUSED, SYNTAX, TOO_COMPLEX, UNCHECKED

SECONDS = 2.0
"""Processor time of one request's sources."""
PATIENCE_SECONDS = 10.0
"""Until when they are done by the clock, however busy the machine is."""

_MEMORY_BYTES = 512 * 1024 * 1024
_MOST_ANSWER_BYTES = 64 * 1024
_KINDS = frozenset({SYNTAX, REFUSED, TOO_COMPLEX, UNCHECKED})
_PROGRAM = Path(__file__).with_name("program.py")


class ChildEnded(Exception):
    """The child ended, by itself or by its limits, before it had answered."""


class Child:
    """A running child. Used by one thread at one time; a context that ends it."""

    def __init__(self) -> None:
        """Start it: without this process's environment, descriptors and packages."""
        arguments = [_PROGRAM, Path(syntax_module.__file__), str(_MEMORY_BYTES)]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-B", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def check(
        self,
        sources: Mapping[str, str],
        version: tuple[int, int],
        *,
        seconds: float = SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> Iterator[tuple[str, Finding | None]]:
        """Path and finding of one source after the other. ChildEnded."""
        alarm = threading.Timer(patience, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            self._ask(list(sources.values()), version, seconds)
            for path in sources:
                yield path, _finding(self._answer())
            if self._answer() is not False:
                self.end()
        except (OSError, ValueError, TypeError) as error:
            raise ChildEnded from error
        finally:
            alarm.cancel()

    def end(self) -> None:
        """Kill it and forget its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                _close(pipe)

    def _ask(self, sources: list[str], version: tuple[int, int], seconds: float) -> None:
        job = {"sources": sources, "version": version, "seconds": seconds}
        data = json.dumps(job).encode()
        stdin = cast("IO[bytes]", self._process.stdin)
        stdin.write(len(data).to_bytes(4, "big") + data)
        stdin.flush()

    def _answer(self) -> Any:
        size = int.from_bytes(self._read(4), "big")
        if size > _MOST_ANSWER_BYTES:
            raise ChildEnded
        return json.loads(self._read(size))

    def _read(self, size: int) -> bytes:
        data = cast("IO[bytes]", self._process.stdout).read(size)
        if len(data) < size:
            raise ChildEnded
        return data


def check_once(sources: Mapping[str, str], version: tuple[int, int]) -> dict[str, Finding]:
    """What is wrong with these sources, by path, found by a child of its own. Blocks."""
    with Child() as child:
        return collect(child, sources, version, SECONDS)


def collect(
    child: Child, sources: Mapping[str, str], version: tuple[int, int], seconds: float
) -> dict[str, Finding]:
    """What the child finds wrong, by path; UNCHECKED where it ended before it knew."""
    found: dict[str, Finding | None] = dict.fromkeys(sources, Finding(UNCHECKED))
    try:
        found.update(child.check(sources, version, seconds=seconds))
    except ChildEnded:
        child.end()
    return {path: one for path, one in found.items() if one is not None}


def _finding(answer: Any) -> Finding | None:
    """The child has read foreign text: nothing but a finding is believed. ValueError."""
    if answer is None:
        return None
    kind, message, line, column = answer
    place_is_known = all(one is None or type(one) is int for one in (line, column))
    if kind not in _KINDS or not isinstance(message, str) or not place_is_known:
        raise ValueError("no finding")
    return Finding(kind, message, line, column)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # what was not written yet goes nowhere
