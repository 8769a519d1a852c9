"""Makes foreign text safe to show: nothing in it acts on the terminal or fools the eye."""

from __future__ import annotations

import re
import unicodedata

_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners only choose between shapes of letters and emoji; Persian and family emoji need them.
_HARMLESS = frozenset({"\t", "\u200c", "\u200d"})


def safe(text: str) -> str:
    r"""One line of text with every control, format and separator character written out.

    C0 and C1 controls, ESC, bidirectional overrides, invisible characters and lone surrogates
    become `\x1b`, `\u202e` and so on; the tab stays. The result holds no line end: split first.
    """
    if text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def safe_lines(text: str) -> list[str]:
    r"""The text's lines, each safe. `\n`, `\r\n` and a lone `\r` (progress bars) end a line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [safe(line) for line in lines]


_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#(?:\[|vso\[))")


def without_commands(text: str) -> str:
    r"""The line with what build servers would obey written out: `::error::`, `##[…]`, `##vso[…]`.

    They take such commands from the output of the programs that they run, ours included.
    """
    return _COMMAND.sub(lambda found: f"{found[1] or ''}\\x{ord(found[0][-1]):02x}", text)


def _shown(char: str) -> str:
    if char in _HARMLESS or unicodedata.category(char) not in _ACTING:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
