"""Finds known secrets in text, however they are written.

Text is compared in a reduced form: letters in lower case, `-_` as `+/`, and without line ends,
blanks, quotes, escapes and whatever is no ASCII. So one comparison sees a secret that is broken
over lines, listed letter by letter or written as hex with colons, and one pattern stands for
both alphabets of base64, both cases of hex and URL-encoding.
"""

from __future__ import annotations

import base64
import html
import json
import string
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, pairwise
from urllib.parse import quote, quote_plus

from ahocorasick_rs import BytesAhoCorasick, Implementation

SHORTEST_SECRET = 8
"""Shorter values ("EMPTY", "x") are placeholders; replacing them would damage answers."""

CONTEXT = 3
"""Reduced bytes of a secret's beginning that are too few to hold text back for."""

_SHORTEST_FORM = 8
"""Reduced bytes; nothing shorter is looked for."""

_HEAD = 6
"""Reduced bytes by which the beginning of a pattern is found: no more than `MOST` of any."""

PIECE = 256
"""Reduced bytes of a pattern. A longer form is looked for as several: what is open stays short."""

LONG_SECRET = 1024
"""Bytes of a secret from which on only its usual spellings are looked for."""

_SHORTEST_PERIOD = 8
"""Patterns that repeat a shorter word stand for all that repeat it: see `_distinct`."""

MOST = 0.75
"""Share of a secret from which its mere beginning is one too, where the rest was cut off."""

_DROPPED = bytes(
    byte for byte in range(256) if byte <= 0x20 or byte >= 0x7F or byte in b"\"'\\,%:;|"
)
_REDUCED = bytes.maketrans(
    string.ascii_uppercase.encode() + b"-_", string.ascii_lowercase.encode() + b"+/"
)
_IS_KEPT = bytes(byte not in _DROPPED for byte in range(256))


def reduced(data: bytes) -> bytes:
    """The form in which secrets and text are compared."""
    return data.translate(_REDUCED, _DROPPED)


def kept_positions(data: bytes) -> list[int]:
    """Where each byte of the reduced form stands in the data."""
    return list(compress(range(len(data)), data.translate(_IS_KEPT)))


def ends_dropped(data: bytes) -> bool:
    """Whether the last byte is none of the reduced form."""
    return bool(data) and not _IS_KEPT[data[-1]]


def written_forms(secret: str) -> frozenset[bytes]:
    """Everything that is looked for, for one secret, in reduced form."""
    forms = {reduced(form) for form in _forms(secret)}
    return frozenset(form for form in forms if len(form) >= _SHORTEST_FORM)


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode("utf-8", "surrogatepass")
    if len(raw) > LONG_SECRET:
        yield from (raw, raw.hex().encode(), quote(raw, safe="").encode())
        yield json.dumps(secret)[1:-1].encode()
        yield from _base64(raw)
        return
    for value in (raw, raw[::-1]):
        yield value
        yield value.hex().encode()
        yield from _base64(value)
    texts = (
        quote(raw, safe=""),
        quote(raw),
        quote_plus(raw),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        "".join(_escaped(character) for character in secret),
        "".join(c if c.isalnum() else _escaped(c) for c in secret),
        "".join(_escaped(c) if c in "<>&" else c for c in secret),
        "".join(f"x{byte:02x}" for byte in raw),
    )
    for text in texts:
        yield text.encode("utf-8", "surrogatepass")


def _base64(raw: bytes) -> Iterator[bytes]:
    """What base64 makes of it behind 0, 1 or 2 other bytes: the characters it alone decides."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        yield encoded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]


def _escaped(character: str) -> str:
    return f"u{ord(character):04x}"


@dataclass(frozen=True)
class Found:
    """What is in a reduced text: secrets, as spans in order that do not touch each other.

    `open` is how many bytes at its end may be the beginning of one; `open_share` is how much of
    that secret they are.
    """

    spans: tuple[tuple[int, int], ...] = ()
    open: int = 0
    open_share: float = 0.0


NOTHING = Found()


class Matcher:
    """Looks for a fixed set of secrets. Costs the same for one secret as for a hundred."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Values that are too short to be secrets are left out."""
        given = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
        forms = {form for secret in given for form in written_forms(secret)}
        self._patterns = sorted(_distinct({piece for form in forms for piece in _pieces(form)}))
        self._longest = max(map(len, self._patterns), default=0)
        self._whole = _automaton(self._patterns)
        self._heads = _automaton(sorted({pattern[:_HEAD] for pattern in self._patterns}))
        self._short = {p[:n]: len(p) for p in self._patterns for n in range(CONTEXT + 1, _HEAD)}
        plain = (reduced(secret.encode("utf-8", "surrogatepass")) for secret in given)
        self._shortest = {p[:n]: len(p) for p in plain for n in range(1, CONTEXT + 1)}

    @property
    def active(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._patterns)

    def may_hold(self, text: bytes) -> bool:
        """False when a reduced text holds no secret, nor `MOST` of one: costs one look.

        Texts may be asked for together, joined: what is in one of them is in all of them.
        """
        return bool(self._heads.find_matches_as_indexes(text))

    def find(self, text: bytes, *, at_word_end: bool) -> Found:
        """What is in a reduced text.

        Up to `CONTEXT` bytes at its end count as open only `at_word_end`, and for a secret as
        it stands: some beginning of some encoding is nearly everywhere.
        """
        matches = self._whole.find_matches_as_indexes(text, overlapping=True)
        spans = tuple(_joined((start, end) for _, start, end in matches)) if matches else ()
        rest = text[spans[-1][1] :] if spans else text
        length, whole = self._open(rest, at_word_end=at_word_end)
        if not spans and not length:
            return NOTHING
        return Found(spans, length, length / whole if whole else 0.0)

    def _open(self, text: bytes, *, at_word_end: bool) -> tuple[int, int]:
        """How much of the end may begin a pattern, and how long that pattern is."""
        tail = text[-(self._longest - 1) :] if self._longest > 1 else b""
        for _, start, _ in self._heads.find_matches_as_indexes(tail, overlapping=True):
            end = tail[start:]
            # Sorted, those that begin with it follow it at once.
            at = bisect_left(self._patterns, end)
            if at < len(self._patterns) and self._patterns[at].startswith(end):
                return len(end), len(self._patterns[at])
        for length in range(min(_HEAD - 1, len(tail)), CONTEXT, -1):
            if whole := self._short.get(tail[-length:]):
                return length, whole
        for length in range(min(CONTEXT, len(tail)) if at_word_end else 0, 0, -1):
            if whole := self._shortest.get(tail[-length:]):
                return length, whole
        return 0, 0


def _pieces(form: bytes) -> Iterator[bytes]:
    """The form, or pieces of nearly one length that make it up."""
    count = -(-len(form) // PIECE)
    edges = [len(form) * number // count for number in range(count + 1)]
    for start, end in pairwise(edges):
        yield form[start:end]


def _distinct(patterns: Collection[bytes]) -> list[bytes]:
    """The patterns without those that repeat a short word which a shorter one repeats too.

    Such patterns match at every byte of a text that repeats the word, each of them. The
    shorter one is found within the longer and covers all but less than a word at its ends.
    """
    kept: list[bytes] = []
    shortest: dict[bytes, int] = {}
    for pattern in sorted(patterns, key=len):
        word = _word(pattern)
        first = shortest.setdefault(word, len(pattern)) if word else len(pattern)
        if len(pattern) < first + max(1, len(word)):
            kept.append(pattern)
    return kept


def _word(pattern: bytes) -> bytes:
    """The word of few bytes that the pattern repeats, begun at its least byte; or nothing."""
    for length in range(1, _SHORTEST_PERIOD):
        if pattern[length:] == pattern[:-length]:
            word = pattern[:length]
            return min(word[at:] + word[:at] for at in range(length))
    return b""


def _automaton(patterns: list[bytes]) -> BytesAhoCorasick:
    # Twice as slow as a table of states and ten times as quick to make: one is made per call.
    return BytesAhoCorasick(patterns, implementation=Implementation.ContiguousNFA)


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Overlapping spans as one, in order."""
    ordered = sorted(spans)
    start, end = ordered[0]
    for next_start, next_end in ordered[1:]:
        if next_start > end:
            yield start, end
            start, end = next_start, next_end
        else:
            end = max(end, next_end)
    yield start, end
