"""User ids for agents: no two tests that run on this machine have the same one."""

from __future__ import annotations

import itertools
import secrets
import socket
import sys

from seatrial.domain.errors import NoCapacity

FIRST_UID = 20_000
MOST_UIDS = 40_000
"""Inside the range that rootless engines map (65,536 ids), outside real accounts."""


class Users:
    """Hands user ids out and takes them back.

    A kernel counts processes, pending signals and more by user, over all containers. So an id is
    held against other workers of this machine too, for as long as this process lives: by a socket
    of that name in Linux's abstract namespace, which no container without network sees.
    """

    def __init__(self, first: int = FIRST_UID, count: int = MOST_UIDS) -> None:
        """Ids from `first`, `count` of them, beginning anywhere."""
        self._first, self._count = first, count
        self._next = itertools.count(secrets.randbelow(count))
        self._held: dict[int, socket.socket | None] = {}

    def take(self) -> int:
        """An id that nobody else has until it is given back. NoCapacity when all are taken."""
        for _ in range(self._count):
            uid = self._first + next(self._next) % self._count
            if uid not in self._held and self._claim(uid):
                return uid
        raise NoCapacity("Every user id for agents is taken.")

    def hold(self, uid: int) -> None:
        """Take a certain id: the one of a container that a former worker started."""
        if uid not in self._held and not self._claim(uid):
            # The former worker may still be ending; the container has the id in any case.
            self._held[uid] = None

    def give_back(self, uid: int) -> None:
        """Let others have it. Does nothing when it is not held."""
        holder = self._held.pop(uid, None)
        if holder is not None:
            holder.close()

    def _claim(self, uid: int) -> bool:
        if sys.platform != "linux":
            self._held[uid] = None
            return True
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(f"\0seatrial-uid-{uid}")
        except OSError:
            holder.close()
            return False
        self._held[uid] = holder
        return True
