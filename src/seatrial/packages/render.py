"""Templates of a package's files, with `@NAME@` where a value goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

_PLACE = re.compile(r"@([A-Z][A-Z_]*)@")


@cache
def _template(name: str) -> str:
    return (resources.files("seatrial.packages") / "templates" / name).read_text("utf-8")


def render(name: str, values: Mapping[str, str] | None = None) -> str:
    """The template with every value in its place; KeyError for a place without a value.

    Values are put in once: a place that a value seems to hold is left as it is.
    """
    given = values or {}
    return _PLACE.sub(lambda match: given[match.group(1)], _template(name))
