"""What a stage writes, line by line: what of it is shown, and its end, which is kept. Pure."""

from __future__ import annotations

from collections import deque

from .diagnose import NO_SOLUTION, Stage

MOST_CHARACTERS = 256 * 1024
"""What is looked at for the reason of a failure, and the longest line."""


class StageOutput:
    """Takes text as it comes, at a cost that grows with its length alone: it may be foreign."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._rest: list[str] = []
        self._rest_size = 0
        self._kept: deque[str] = deque()
        self._size = 0
        self._unsolved = False
        self._resolved = False

    def feed(self, text: str) -> str:
        """The lines that are whole now and are shown."""
        whole, newline, rest = text.rpartition("\n")
        shown: list[str] = []
        if newline:
            first, *others = f"{self._begun()}{whole}".split("\n")
            shown = [f"{line}\n" for line in (first, *others) if self._add(line)]
        self._rest.append(rest)
        self._rest_size += len(rest)
        if self._rest_size > MOST_CHARACTERS:
            return "".join(shown) + self.flush()
        return "".join(shown)

    def flush(self) -> str:
        """The same of a last line without its end."""
        return self.feed("\n") if self._rest_size else ""

    @property
    def text(self) -> str:
        """The end of everything."""
        return "".join(self._kept)[-MOST_CHARACTERS:]

    def _begun(self) -> str:
        begun = "".join(self._rest)
        self._rest, self._rest_size = [], 0
        return begun

    def _add(self, line: str) -> bool:
        """Keep it; whether it is shown."""
        shown = self._is_shown(line)
        self._resolved |= "Resolved " in line
        self._kept.append(f"{line}\n")
        self._size += len(line) + 1
        while self._size - len(self._kept[0]) >= MOST_CHARACTERS:
            self._size -= len(self._kept.popleft())
        return shown

    def _is_shown(self, line: str) -> bool:
        """Whether a line of uv's output tells the user something new.

        Fetch and sources install into nothing that is kept, and every step resolves again.
        """
        self._unsolved |= NO_SOLUTION in line
        if self._stage != "install" and self._unsolved:
            return False  # shown when it is known that nothing can be built instead
        if line.startswith(("Using CPython", "Using Python", "Installed ")):
            return False
        if line.startswith("Resolved "):
            return self._stage != "install" and not self._resolved
        return self._stage == "install" or not line.startswith(" + ")
