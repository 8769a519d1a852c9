"""Fixtures for all tests. Plugins can be listed only here, at the top."""

from __future__ import annotations

import os
import re
from collections.abc import Generator

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.support.postgres", "tests.support.engines"]

ALLOWED_SKIPS = frozenset(
    {
        "this kernel has no IPv6",
        "only root can become another user",
        "only root can mount a file system",
        "as another user the socket is always open to all",
        "the kernel's signal is Linux's",
        "only x86-64 has int 0x80",
        "the fake engine needs Linux and root",
    }
)
"""The only reasons for which a test may be skipped; any other skip is a failure."""

collect_ignore = [] if os.environ.get("SEATRIAL_TEST_FULL") else ["long"]
"""What takes a quarter of an hour runs with `make test-full` alone."""

settings.register_profile("fast", deadline=None)  # a busy machine is slow at times
settings.register_profile("full", max_examples=2000, deadline=None)
settings.load_profile("fast")
if os.environ.get("SEATRIAL_TEST_FULL"):
    settings.load_profile("full")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that nobody allowed into a failure: what can't run was not tested."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if reason not in ALLOWED_SKIPS:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped: {reason!r} is not an allowed reason"
    return report


class ByFileAndEngine(LoadScopeScheduling):
    """Gives one process the tests of a file that run on one engine: their server starts once.

    The hostile agents run all on one server, and the host is looked at between them. Those of
    the web page share a server and a browser.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        place = next((shared for shared in ("hostile/", "e2e/web/") if shared in file), file)
        engine = re.search(r"docker|podman|gvisor", nodeid.rpartition("[")[2])
        return f"{place} {engine.group() if engine else ''}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Whole suites run as several processes (`pytest -n 2`)."""
    return ByFileAndEngine(config, log)
