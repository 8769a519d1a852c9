"""Which slots this process drives, and the user ids that they hold."""

from __future__ import annotations

from .users import Users


class Opened:
    """Slots by name, from the first thing that is made for one until its last is gone.

    A slot whose container could not be removed is no longer open but keeps its user id: the
    container may run on, and no other test may have the same.
    """

    def __init__(self) -> None:
        """None is open."""
        self._users = Users()
        self._open: dict[str, int] = {}
        self._left: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        """Whether the slot of that name is driven here."""
        return name in self._open

    @property
    def left(self) -> frozenset[str]:
        """Those whose container could not be removed."""
        return frozenset(self._left)

    def add(self, name: str, uid: int | None = None) -> int:
        """Open it; its user id, which is a new one unless its container has one. NoCapacity."""
        if uid is None:
            uid = self._users.take()
        else:
            self._users.hold(uid)
        self._open[name] = uid
        return uid

    def close(self, name: str) -> None:
        """Nothing of it is left, or another worker has it: give its user id back."""
        for slots in (self._open, self._left):
            if (uid := slots.pop(name, None)) is not None:
                self._users.give_back(uid)

    def leave(self, name: str) -> None:
        """Its container could not be removed and is the reaper's now."""
        if (uid := self._open.pop(name, None)) is not None:
            self._left[name] = uid
