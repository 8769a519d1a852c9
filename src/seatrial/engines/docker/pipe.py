"""Standard input and output of one container, over the connection that is attached to it.

No network is needed for it, and no port of the machine: it goes wherever the engine's own API
goes, and who may use that is who may read it. Both engines keep it whole, make a writer wait
for a reader, and end the standard input when the process that holds the connection dies.
"""

from __future__ import annotations

from aiodocker.stream import Stream

from seatrial.domain.errors import PlatformError

from .errors import translated, unavailable
from .evidence import Tail

_STDERR = 2


class AttachedPipe:
    """See seatrial.domain.ports.Pipe. Also the container's evidence: its standard error."""

    def __init__(self, stream: Stream) -> None:
        """Takes the attached stream over and closes it in the end."""
        self._stream = stream
        self._errors = Tail()
        self._closed = False

    async def read(self) -> bytes:
        """See Pipe. A connection that breaks is an end as well."""
        try:
            with translated():
                while (message := await self._stream.read_out()) is not None:
                    if message.stream == _STDERR:
                        self._errors.add(message.data)
                    elif message.data:
                        return message.data
        except PlatformError:
            return b""
        return b""

    async def write(self, data: bytes) -> None:
        """See Pipe."""
        if self._closed:
            raise unavailable("the pipe is closed")
        with translated():
            await self._stream.write_in(data)

    async def close(self) -> None:
        """See Pipe."""
        if not self._closed:
            self._closed = True
            await self._stream.close()

    async def text(self) -> str:
        """The end of its standard error, as far as it was read."""
        return self._errors.text()
