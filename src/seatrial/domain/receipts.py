"""The receipt of a run: facts about it that its package carries and others may check."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Scan(_Value):
    """How much of one stream or field was searched for secrets, and how many stood there."""

    bytes: int = 0
    hits: int = 0


class LeakCheck(_Value):
    """The search for known secrets in everything that a test left. Never a value itself.

    `secrets` is how many values were looked for, each in every usual encoding. What was found
    was replaced by stars before it was stored. The names of `places` are streams (`stdout`,
    `stderr`, `build`, `response`), fields (`result`, `failure`, `error`, `model_call`, `notice`)
    and `request`, what the user sent, which is searched but not changed.
    """

    secrets: int = 0
    places: dict[str, Scan] = {}

    @property
    def bytes(self) -> int:
        """Bytes searched in all."""
        return sum(scan.bytes for scan in self.places.values())

    @property
    def hits(self) -> int:
        """Secrets found in all."""
        return sum(scan.hits for scan in self.places.values())


ARTIFACTS = ("request", "response", "result")
"""The places that go into a package."""


class Receipt(_Value):
    """What is certified about a test's last attempt."""

    leaks: LeakCheck = LeakCheck()
    exposed: dict[str, str] = Field(
        default={},
        description="Variables in which the agent had a stored secret in the clear, with the name "
        "of the credential.",
    )
    removed: dict[str, float] = Field(
        default={},
        description="The parts of its container that are gone, with the seconds from the end of "
        "its work until each was: `container`, `image_layer` (what was written over its image), "
        "`tmpfs` (its writable folders), `door_socket`, `channel_socket`, `credentials` (what the "
        "gateway was lent for it), `folder`, and with a relay `relay` and `volume`.",
    )
    left: tuple[str, ...] = Field(
        default=(),
        description="The parts that could not be removed in time: they are removed later.",
    )
    leaked_artifacts: tuple[str, ...] = Field(
        default=(),
        description="Parts of the test in which a secret stood that would go into a package: "
        "while there is any, no package of the test is made.",
    )


def receipt_of(
    leaks: LeakCheck,
    exposed: dict[str, str],
    *,
    removed: dict[str, float],
    left: tuple[str, ...],
) -> Receipt:
    """The receipt that these facts add up to."""
    found = {name for name, scan in leaks.places.items() if scan.hits}
    leaked = tuple(name for name in ARTIFACTS if name in found)
    return Receipt(
        leaks=leaks, exposed=exposed, removed=removed, left=left, leaked_artifacts=leaked
    )
