"""What the runner says about its agent: claims of a foreign process, checked for form only."""

import json
from dataclasses import replace
from typing import Callable, Optional

from .loop import Loop
from .output import Output, ResponseStream
from .protocol import (
    Entry,
    ErrorFrame,
    NoticeFrame,
    Numbered,
    ProtocolError,
    Report,
    Response,
    ResultFrame,
    ResultPart,
    join_result,
    report_decoder,
    split_result,
)

RAN_ON_IMPORT = "import"
"""`Entry.how` of a script that had already run when it was imported."""

NO_ENTRY_POINT = (
    "No entry point was found: no conventional name (agent, app, graph, run, main, ...), no object"
    " of a known framework, no single public function, and nothing was printed."
)

SEVERAL = "No entry point was found: of several functions ({}) none has a known name."


class Claims:
    """Takes the runner's frames and the child's stdout; sends what becomes of them.

    One entry, one result and one error count, the first of each. Whatever is malformed is treated
    as output, with one notice, and nothing on the report pipe is believed after that.
    """

    def __init__(
        self,
        loop: Loop,
        send: Callable[[Numbered], None],
        output: Output,
        response_bytes: int,
        on_result: Callable[[], None],
    ) -> None:
        self._send, self._output, self._limit = send, output, response_bytes
        self._on_result = on_result
        self._stream = ResponseStream(loop, send, response_bytes)
        self._decoder = report_decoder()
        self._invalid = False
        self._entry: Optional[Entry] = None
        self._parts: list[ResultPart] = []
        self._parts_size = 0
        self._result: Optional[ResultFrame] = None
        self._error = False
        self._over = False
        self._printed = bytearray()
        self._printed_size = 0

    def stdout(self, data: bytes) -> None:
        """Keep what was printed: it is the response of an agent that returns none."""
        self._printed_size += len(data)
        self._printed += data[: max(0, self._limit - len(self._printed))]

    def stop(self) -> None:
        """The child was asked to end: an answer that comes from now on comes too late."""
        self._over = True

    def report(self, data: bytes) -> None:
        """Take bytes of the report pipe."""
        if self._invalid:
            self._output.add("stdout", data)
            return
        try:
            for _, frame in self._decoder.feed(data):
                self._take(frame)
        except ProtocolError as error:
            self._refuse(str(error))

    def finish(self) -> None:
        """The child is dead and its pipes are empty: settle a response that was printed."""
        self._stream.flush()
        if self._result is None or not self._result.from_stdout:
            return
        ran_on_import = self._entry is not None and self._entry.how == RAN_ON_IMPORT
        if ran_on_import and not self._printed.strip():
            if self._error:
                return
            self._send(_no_entry_point(self._entry))
        elif self._printed_size > self._limit:
            self._send_result(replace(self._result, too_large_bytes=self._printed_size))
        else:
            text = bytes(self._printed).decode("utf-8", "replace")
            self._send_result(replace(self._result, response=text.rstrip("\r\n")))

    def _take(self, frame: Report) -> None:
        if isinstance(frame, Response):
            self._stream.add(frame.text)
        elif isinstance(frame, ResultPart):
            self._take_part(frame)
        elif self._result is None:
            self._output.flush()
            self._stream.flush()
            self._take_once(frame)

    def _take_once(self, frame: Report) -> None:
        if isinstance(frame, Entry) and self._entry is None:
            self._entry = frame
            if frame.how != RAN_ON_IMPORT:
                self._printed.clear()
                self._printed_size = 0
            self._send(_cut_entry(frame))
        elif isinstance(frame, ResultFrame):
            if not self._over:
                self._take_result(frame)
        elif isinstance(frame, ErrorFrame) and not self._error:
            self._error = True
            self._send(_cut(frame))

    def _take_part(self, part: ResultPart) -> None:
        self._parts_size += len(part.text)
        if self._parts_size > 2 * self._limit:
            raise ProtocolError("a result over its limit")
        self._parts.append(part)

    def _take_result(self, frame: ResultFrame) -> None:
        result = join_result(self._parts, frame)
        self._parts = []
        if result.value_json is not None and not _is_json(result.value_json):
            raise ProtocolError("a value that is no JSON")
        self._result = result
        if not result.from_stdout:
            self._send_result(result)
        self._on_result()

    def _send_result(self, result: ResultFrame) -> None:
        texts = (result.response, result.value_json or "")
        size = max(len(text.encode("utf-8")) for text in texts)
        if size > self._limit or result.too_large_bytes is not None:
            size = max(size, result.too_large_bytes or 0)
            result = replace(result, response="", value_json=None, too_large_bytes=size)
        for frame in split_result(result):
            self._send(frame)

    def _refuse(self, why: str) -> None:
        self._invalid = True
        self._send(
            NoticeFrame(
                "report_invalid",
                f"The agent's process wrote into the pipe of its runner ({why});"
                " what comes from there is no longer believed.",
            )
        )


def _cut(frame: ErrorFrame) -> ErrorFrame:
    return replace(
        frame,
        type=frame.type[:200],
        message=frame.message[:8192],
        traceback=frame.traceback[-65536:],
        file=frame.file and frame.file[:1000],
        module=frame.module and frame.module[:200],
        cause=frame.cause[:40],
        subject=frame.subject[:500],
    )


def _cut_entry(frame: Entry) -> Entry:
    names = [name[:200] for name in frame.candidates[:20]]
    return Entry(frame.entry_point[:500], frame.framework[:100], frame.how[:100], names)


def _no_entry_point(entry: Optional[Entry]) -> ErrorFrame:
    candidates = ", ".join(entry.candidates[:20]) if entry else ""
    cause = "candidates" if candidates else ""
    message = SEVERAL.format(candidates) if candidates else NO_ENTRY_POINT
    return ErrorFrame("detect", "NoEntryPoint", message, "", None, None, None, cause, candidates)


def _is_json(text: str) -> bool:
    def refuse(constant: str) -> object:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True
