"""What an agent's file does while it is loaded, read from its source. Pure.

Tokens, not a tree: the parser is C code that keeps every other thread waiting, for minutes on
sources that are written for it. Cost is linear, and other threads go on meanwhile.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from itertools import takewhile

_WORDS = frozenset({"argv", "parse_args", "parse_known_args"})
_IN_TEXT = re.compile(r"\b(?:argv|parse_args|parse_known_args)\b")
_BETWEEN = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT})
_GOES_ON = frozenset({"elif", "else"})

Tokens = list[tokenize.TokenInfo]


def reads_arguments(source: str) -> bool:
    """Whether loading the file may read its arguments, where the test put the query.

    What only a script does, under `if __name__ == "__main__"`, does not count.

    >>> reads_arguments("from sys import argv"), reads_arguments("def run(query): return query")
    (True, False)
    """
    if _IN_TEXT.search(source) is None:
        return False
    try:
        return any(_names_arguments(token) for token in _loaded(_tokens(source)))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return False


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _names_arguments(token: tokenize.TokenInfo) -> bool:
    if token.type == tokenize.NAME:
        return token.string in _WORDS
    # Before Python 3.12 an f-string is one token, whatever it evaluates.
    prefix = "".join(takewhile(str.isalpha, token.string)) if token.type == tokenize.STRING else ""
    return "f" in prefix.lower() and _IN_TEXT.search(token.string) is not None


def _loaded(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[tokenize.TokenInfo]:
    """The tokens of all lines but those that run only in a script."""
    guarded = False
    for line, depth in _lines(tokens):
        if depth == 0:
            first = line[0].string
            guarded = _is_guard(line) or (guarded and first in _GOES_ON)
        if not guarded:
            yield from line


def _lines(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[tuple[Tokens, int]]:
    """Each logical line that has a statement, and how deep it is indented."""
    depth, line = 0, Tokens()
    for token in tokens:
        if token.type == tokenize.NEWLINE:
            if line:
                yield line, depth
            line = []
        elif token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type not in _BETWEEN and token.type != tokenize.ENDMARKER:
            line.append(token)


def _is_guard(line: Tokens) -> bool:
    """Whether a line is `if __name__ == "__main__":`, in any spelling."""
    head = [token.string.strip("\"'") for token in line]
    return head[0] == "if" and {"__name__", "__main__"} <= set(head)
