"""List and prune the environments that this process keeps."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.domain.errors import FieldProblem, InvalidRequest, NotFound
from seatrial.domain.ports import EnvironmentInfo, Environments


async def list_environments(
    environments: Environments | None, owner: str | None = None
) -> Sequence[EnvironmentInfo]:
    """What is kept, or what the owner's tests used of it, most recently used first.

    Raises: NotFound where a worker elsewhere keeps them.
    """
    return await _present(environments).entries(owner)


async def prune_environments(environments: Environments | None, *, keep_bytes: int = 0) -> int:
    """Remove the least recently used until the rest fits; bytes given back. NotFound."""
    if keep_bytes < 0:
        raise InvalidRequest((FieldProblem("keep_bytes", "It is 0 or more.", "out_of_range"),))
    return await _present(environments).prune(keep_bytes=keep_bytes)


def _present(environments: Environments | None) -> Environments:
    if environments is None:
        raise NotFound(
            "This server keeps no environments.", hint="They are kept where its workers run."
        )
    return environments
