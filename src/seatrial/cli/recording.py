"""Shows the recorded model calls of a test, or saves them."""

from __future__ import annotations

from pathlib import Path

from seatrial.domain.errors import SetupFailed
from seatrial.domain.recordings import RecordedCallInfo, RecordingInfo

from .lines import Span
from .screen import Screen

_HEADERS = ("CALL", "MODEL", "WHAT", "STATUS", "SENT", "GOT", "SECONDS", "PATH")


def show_recording(screen: Screen, recording: RecordingInfo) -> None:
    """The calls as a table, or the recording as one JSON line."""
    if screen.json_mode:
        screen.json(recording)
        return
    if recording.problem is not None:
        screen.line(Span(f"It cannot be replayed: {recording.problem}", "warn"))
    if not recording.calls:
        screen.line("No model was called.")
        return
    screen.table(_HEADERS, [_row(call) for call in recording.calls])


def save(screen: Screen, path: Path, lines: bytes) -> None:
    """Write the downloaded calls. SetupFailed when the file cannot be written."""
    try:
        path.write_bytes(lines)
    except OSError as error:
        raise SetupFailed(f"{path} cannot be written: {error.strerror}") from error
    count = lines.count(b"\n")
    screen.line(f"Saved {count} {'call' if count == 1 else 'calls'} to {path}.")


def _row(call: RecordedCallInfo) -> tuple[str | Span, ...]:
    status = str(call.status) if call.status is not None else "none"
    ended = "" if call.end == "whole" else f" {call.end}"
    return (
        Span(str(call.number), "name"),
        f"{call.provider}:{call.model}" if call.model else call.provider,
        call.operation,
        Span(status + ended, "bad" if call.error else "plain"),
        f"{call.request_bytes:,}",
        f"{call.answer_bytes:,}",
        f"{call.seconds:.2f}",
        f"{call.method} {call.path}",
    )
