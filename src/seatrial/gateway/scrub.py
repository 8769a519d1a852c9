"""Takes known secrets out of what passes: answers of upstreams, logs, responses, failures.

A secret is replaced by stars of the same length, and only its own characters are: lengths that
headers announce stay right, JSON stays JSON, lines stay lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .matching import CONTEXT, MOST, NOTHING, Found, Matcher, ends_dropped, kept_positions, reduced

_BACKSLASH = 0x5C


class KnownSecrets:
    """Every value that must not be seen, of one test or of one process. It only grows.

    What was made from it before looks for what it learns later too.
    """

    def __init__(self, values: Iterable[str | None] = ()) -> None:
        """Empty ones are left out."""
        self._values: frozenset[str] = frozenset()
        self._matcher: Matcher | None = None
        self.learn(values)

    def learn(self, values: Iterable[str | None]) -> None:
        """From now on look for these too."""
        more = frozenset(value for value in values if value)
        if more <= self._values:
            return
        self._values |= more
        matcher = Matcher(self._values)
        self._matcher = matcher if matcher.active else None

    @property
    def count(self) -> int:
        """How many different values."""
        return len(self._values)

    def may_be_in(self, text: str) -> bool:
        """False when none is in the text, nor in any part of it: a quick look, sure in a no."""
        matcher = self._matcher
        return matcher is not None and matcher.may_hold(
            reduced(text.encode("utf-8", "surrogatepass"))
        )

    @property
    def matcher(self) -> Matcher | None:
        """Looks for all of them; None while there is nothing to look for."""
        return self._matcher

    def text(self, value: str) -> str:
        """A whole text without secrets."""
        return self.cleaned(value)[0]

    def cleaned(self, value: str) -> tuple[str, int]:
        """A whole text without secrets, and how many there were."""
        if not self.may_be_in(value):
            return value, 0
        stream = TextScrubber(self)
        passed = stream.feed(value)
        return passed + stream.end(), stream.hits


def scrubbed(known: KnownSecrets, data: bytes) -> bytes:
    """Whole bytes without secrets."""
    if known.matcher is None:
        return data
    scrubber = Scrubber(known)
    return scrubber.feed(data) + scrubber.end()


class Scrubber:
    """Scrubs one stream of bytes.

    It holds bytes back only while the end of what it has seen may be the beginning of a
    secret, so a chunk of a stream normally passes whole and at once.
    """

    def __init__(self, known: KnownSecrets, then: Scrubber | None = None) -> None:
        """Nothing is scrubbed while nothing is known. What passes goes through `then` too."""
        self._known = known
        self._then = then
        self._held = b""
        self._context = b""
        self.hits = 0

    @property
    def active(self) -> bool:
        """Whether there is anything to look for."""
        return self._known.matcher is not None or (self._then is not None and self._then.active)

    def may_change(self, text: str) -> bool:
        """False when neither the text nor any part of it holds a secret: then `text` is spared."""
        if self._known.may_be_in(text):
            return True
        return self._then is not None and self._then.may_change(text)

    def text(self, value: str) -> str:
        """A whole text without secrets, for headers and messages."""
        cleaned = self._known.text(value)
        return self._then.text(cleaned) if self._then else cleaned

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may be sent on now."""
        passed = self._fed(chunk)
        return self._then.feed(passed) if self._then else passed

    def end(self) -> bytes:
        """The bytes that were held back: the beginning of a secret that did not come.

        Nearly all of one counts as one: something has cut it off.
        """
        rest = self._rest()
        return self._then.feed(rest) + self._then.end() if self._then else rest

    def _fed(self, chunk: bytes) -> bytes:
        matcher = self._known.matcher
        if matcher is None:
            return chunk
        data = self._held + chunk if self._held else chunk
        text = self._context + reduced(data)
        found = matcher.find(text, at_word_end=not ends_dropped(data))
        return self._passed(data, text, found)

    def _rest(self) -> bytes:
        rest, self._held = self._held, b""
        matcher = self._known.matcher
        if not rest or matcher is None:
            return rest
        text = self._context + reduced(rest)
        found = matcher.find(text, at_word_end=False)
        self._context = b""
        if found.open_share < MOST:
            return rest
        self.hits += 1
        return _starred(rest, kept_positions(rest))

    def _passed(self, data: bytes, text: bytes, found: Found) -> bytes:
        """What goes on of the data, whose reduced form ends the text; keeps the rest."""
        if found is NOTHING:
            self._held, self._context = b"", text[-CONTEXT:]
            return data
        before = len(self._context)
        positions = kept_positions(data)
        starred = (
            position
            for start, end in found.spans
            for position in positions[max(0, start - before) : max(0, end - before)]
        )
        data = _starred(data, starred) if found.spans else data
        self.hits += len(found.spans)
        # A secret's first bytes may have gone with an earlier chunk.
        passed = max(before, len(text) - found.open)
        cut = _cut(data, positions, passed - before)
        after = found.spans[-1][1] if found.spans else 0
        self._context = text[max(after, passed - CONTEXT) : passed]
        self._held = data[cut:]
        return data[:cut]


class TextScrubber:
    """Scrubs one stream of text, as `Scrubber` does."""

    def __init__(self, known: KnownSecrets) -> None:
        """Nothing is scrubbed while nothing is known."""
        self._bytes = Scrubber(known)

    @property
    def hits(self) -> int:
        """How many secrets it took out."""
        return self._bytes.hits

    def feed(self, text: str) -> str:
        """The text that may be sent on now."""
        if not self._bytes.active:
            return text
        # No cut falls into a character: only ASCII is ever matched.
        given = text.encode("utf-8", "surrogatepass")
        passed = self._bytes.feed(given)
        return text if passed is given else passed.decode("utf-8", "surrogatepass")

    def end(self) -> str:
        """What was held back."""
        return self._bytes.end().decode("utf-8", "surrogatepass")


def _cut(data: bytes, positions: Sequence[int], index: int) -> int:
    """Where to cut the data before a byte of its reduced form, which may be its end."""
    if index >= len(positions):
        return len(data)
    return _before_escape(data, positions[index])


def _starred(data: bytes, positions: Iterable[int]) -> bytes:
    """With stars there. A backslash before one goes too: JSON knows no escaped star."""
    changed = bytearray(data)
    for position in positions:
        start = _before_escape(data, position)
        changed[start : position + 1] = b"*" * (position + 1 - start)
    return bytes(changed)


def _before_escape(data: bytes, position: int) -> int:
    while position > 0 and data[position - 1] == _BACKSLASH:
        position -= 1
    return position
