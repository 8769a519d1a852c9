"""Opens doors; see seatrial.domain.ports.Gateway."""

from __future__ import annotations

from seatrial.domain.ports import DoorSpec, GatewayReport

from .bodies import Turns
from .door import SocketDoor
from .pauses import Pauses
from .sessions import Sessions


class SocketGateway:
    """Doors on Unix sockets, over the same pools of connections to the providers."""

    def __init__(self) -> None:
        self._sessions = Sessions()
        self._doors: list[SocketDoor] = []
        self._pauses = Pauses()
        self._turns = Turns()

    async def open(self, spec: DoorSpec, report: GatewayReport) -> SocketDoor:
        """See Gateway. A stale socket at the path is replaced. SetupFailed."""
        self._doors = [door for door in self._doors if not door.is_closed]
        door = SocketDoor(spec, report, self._sessions, self._pauses, self._turns)
        try:
            await door.listen()
        except BaseException:
            await door.close()
            raise
        self._doors.append(door)
        return door

    async def aclose(self) -> None:
        """See Gateway. Idempotent."""
        doors, self._doors = self._doors, []
        try:
            for door in doors:
                await door.close()
        finally:
            await self._sessions.close()
