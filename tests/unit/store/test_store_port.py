"""The store has the shape of its port, which a type checker compares in full."""

from __future__ import annotations

from seatrial.domain.ports import Store
from seatrial.store import open_store


def test_a_store_fulfils_the_port_and_does_nothing_before_it_is_opened():
    store: Store = open_store("sqlite+aiosqlite:////nowhere/at/all.db")

    promised = {name for name in dir(Store) if not name.startswith("_")}
    assert promised <= set(dir(store))
