"""What stands under the help of a command."""

from __future__ import annotations

from . import exits


def examples(*commands: str, codes: bool = False) -> str:
    """Commands to copy, one a line, and the exit codes where a test's end decides them."""
    lines = ["Examples:" if len(commands) > 1 else "Example:", *(f"  {one}" for one in commands)]
    # The mark keeps the help formatter from joining the lines.
    block = "\b\n" + "\n".join(lines)
    return f"{block}\n\n{exits.HELP}" if codes else block
