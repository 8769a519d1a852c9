"""Event streams that are open now, counted per reader and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from seatrial.domain.errors import StreamsFull, StreamsShareFull

_RETRY_SECONDS = 5


class OpenStreams:
    """The streams of one server process. A reader has a share only beside other readers."""

    def __init__(self, *, total: int, share: int) -> None:
        """At most `total` in all, and `share` of one reader while there are others."""
        self._total, self._share = total, share
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, reader: str) -> Generator[None]:
        """Count one stream of the reader while the block runs.

        Raises: StreamsShareFull, StreamsFull.
        """
        self._check(reader)
        self._open[reader] += 1
        try:
            yield
        finally:
            self._open[reader] -= 1
            self._open += Counter[str]()  # readers without a stream are forgotten

    @property
    def taken(self) -> int:
        """How many streams are open."""
        return self._open.total()

    def _check(self, reader: str) -> None:
        mine, every = self._open[reader], self._open.total()
        if mine >= self._share and every > mine:
            raise StreamsShareFull(
                f"You follow {mine:,} event streams already, which is one user's share.",
                hint=f"Close one, or try again in {_RETRY_SECONDS} s.",
                retry_after_seconds=_RETRY_SECONDS,
            )
        # What is left of the total is for readers below their share.
        if every >= self._total or (mine >= self._share and every >= self._total - self._share):
            raise StreamsFull(
                f"{every:,} event streams are open, which is the limit of this server.",
                retry_after_seconds=_RETRY_SECONDS,
            )
