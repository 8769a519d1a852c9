"""Fixtures for all tests. Plugins can be listed only here, at the top."""

from __future__ import annotations

pytest_plugins = ["tests.support.postgres", "tests.support.engines"]
