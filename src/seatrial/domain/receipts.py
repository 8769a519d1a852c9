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
    `stderr`, `build`, `response`), fields (`result`, `failure`, `error`, `model_call`, `notice`),
    `request`, what the user sent, and `sent`, what the agent sent to its models; those two are
    searched but not changed. `sent` is there when the agent had secrets of its own: a call that
    holds one is refused unless the test allows it.
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


SENT = "sent"
"""The place of what the agent sends to its models."""

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
    allowed: dict[str, bool] = Field(
        default={},
        description="What the request allowed the model service to do beyond answering, and "
        "whether a call used it.",
    )
    unenforced: tuple[str, ...] = Field(
        default=(),
        description="The limits that the container engine did not enforce: `memory`, `processes`, "
        "`CPU`, `disk`, `read-only image`, or `system calls` where it filtered none. With the fake "
        "engine none is checked.",
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
    allowed: dict[str, bool] | None = None,
    unenforced: tuple[str, ...] = (),
) -> Receipt:
    """The receipt that these facts add up to."""
    found = {name for name, scan in leaks.places.items() if scan.hits}
    leaked = tuple(name for name in ARTIFACTS if name in found)
    return Receipt(
        leaks=leaks,
        exposed=exposed,
        removed=removed,
        left=left,
        allowed=allowed or {},
        unenforced=unenforced,
        leaked_artifacts=leaked,
    )
