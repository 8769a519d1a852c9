"""The change that a failed test's failure offers, as a retry takes it."""

from __future__ import annotations

from typing import cast

from seatrial.client.fields import ChangeFields
from seatrial.domain.fixes import changes_of
from seatrial.domain.tests import Test

from .submission import unreadable


def offered_changes(old: Test) -> ChangeFields:
    """What `--fix` stands for. InvalidRequest when the failure offers nothing of that kind."""
    offered = old.failure.fix if old.failure else {}
    if not offered:
        raise unreadable("--fix", "This test's failure offers no change.")
    try:
        changes = changes_of(offered, old.request)
    except ValueError as error:
        raise unreadable("--fix", f"The change cannot be made from here: {error}.") from error
    return cast("ChangeFields", {name: getattr(changes, name) for name in changes.model_fields_set})
