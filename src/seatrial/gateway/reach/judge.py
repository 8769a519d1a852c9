"""Holds one call's body to the description of its operation, member by member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from seatrial.domain.allowances import UNLISTED, Allowances
from seatrial.gateway.bodies import Marker, Path, Value

from .shapes import Need, Node, anywhere, name_key, schema_need

MAX_SHOWN = 200
"""Characters of a field's path in a message."""

_PLAIN = Node()


@dataclass(frozen=True)
class Refused:
    """The first member of a body that asks for more than the test allows."""

    field: str
    need: Need


@dataclass
class Judge:
    """Reads one body. Visit its members in document order, then look at `refused` and `used`.

    `is_known` says whether the test received an id itself, `offers` whether it may use a model.
    """

    root: Node
    allowed: Allowances
    is_known: Callable[[str], bool]
    offers: Callable[[str], bool]
    refused: Refused | None = None
    used: set[str] = field(default_factory=set[str])
    _nodes: list[Node] = field(default_factory=list[Node])

    def __post_init__(self) -> None:
        """Start at the body itself, which is not visited."""
        self._nodes.append(self.root)

    def visit(self, path: Path, value: Value) -> None:
        """One member of the body: its path, and its scalar or Marker."""
        if self.refused is not None:
            return
        depth = len(path)
        node = self._step(self._nodes[depth - 1], path)
        if isinstance(value, Marker):
            del self._nodes[depth:]
            self._nodes.append(node)
        if node.schema:
            self._hold(path, schema_need(str(path[-1]), value))
        elif node.check is not None and value is not Marker.ARRAY:
            self._hold(path, node.check(value))

    def _step(self, parent: Node, path: Path) -> Node:
        """The node of a member."""
        last = path[-1]
        if isinstance(last, int) or parent.free or parent.deep or parent.schema:
            return parent
        found = parent.fields.get(name_key(last)) or anywhere(last)
        if found is None and parent.closed:
            why = f"is a kind of {parent.closed} that Seatrial does not know"
            self._hold(path, Need(f"{UNLISTED}={last[:80]}", why))
        return found or _PLAIN

    def _hold(self, path: Path, need: Need | None) -> None:
        if need is None or (need.id is not None and self.is_known(need.id)):
            return
        if need.model is not None and self.offers(need.model):
            return
        entry = self.allowed.entry(need.switch)
        if entry is None:
            self.refused = Refused(shown_path(path), need)
        else:
            self.used.add(entry)


def shown_path(path: Path) -> str:
    """A path as people write it.

    >>> shown_path(("tools", 0, "type"))
    'tools[0].type'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text.removeprefix(".")[:MAX_SHOWN]
