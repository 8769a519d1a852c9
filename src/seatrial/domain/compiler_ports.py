"""The port through which users' sources are compiled to find syntax errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .validation import Finding


class Compiler(Protocol):
    """Compiles foreign code where it can neither block nor end this process."""

    async def check(
        self, owner: str, sources: Mapping[str, str], version: tuple[int, int]
    ) -> dict[str, Finding]:
        """The first error of each source that has one, by path, for that version of Python.

        UNCHECKED for a source that took too much time or memory. Never raises.
        """
        ...

    def close(self) -> None:
        """End what was started."""
        ...
