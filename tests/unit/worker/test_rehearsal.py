"""What is told of a package that cannot be tried out, or whose image does not build."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from seatrial.domain.builds import Build
from seatrial.domain.errors import (
    EngineRefused,
    EngineUnavailable,
    FailureError,
    PlatformError,
    StoreUnavailable,
)
from seatrial.domain.failures import failure
from seatrial.domain.packages import Rehearsal, RehearsalClaim, Target
from seatrial.domain.phases import Outcome
from seatrial.domain.ports import EngineInfo, ImageLimits
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Completion, Result
from seatrial.environments import PackageInstall
from seatrial.packages import Tested, make_package
from seatrial.settings import Settings
from seatrial.store import SqlStore, open_store
from seatrial.worker import rehearsal
from seatrial.worker.linting import LINTS
from seatrial.worker.rehearsal import BUILDS, RehearsalDeps, Rehearsals

BUILD = Build(python="3.11", architecture="x86_64", image="sha256:1")


class Images:
    """An engine whose builds end with that error. Also gives a base image."""

    def __init__(self, error: PlatformError) -> None:
        self.error = error
        self.built: list[str] = []
        self.removed: list[str] = []

    async def image(self, python: str) -> str:
        return f"base-{python}"

    async def describe(self) -> EngineInfo:
        return EngineInfo("Fake", "1", "1", False, "x86_64", 2, 2**30)

    async def build_image(
        self, name: str, context: Path, arguments: Mapping[str, str], limits: ImageLimits
    ) -> None:
        self.built.append(name)
        if not name.endswith("-base"):
            raise self.error

    async def remove_image(self, name: str) -> None:
        self.removed.append(name)


class Installer:
    """Installs nothing: an empty folder, or that error."""

    def __init__(self, folder: Path, error: FailureError | None = None) -> None:
        self.folder, self.error = folder, error
        self.wanted: list[PackageInstall] = []

    def scratch(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(dir=self.folder.parent)

    @asynccontextmanager
    async def installed(self, wanted: PackageInstall) -> AsyncGenerator[Path]:
        self.wanted.append(wanted)
        if self.error is not None:
            raise self.error
        self.folder.mkdir()
        yield self.folder
        self.folder.rmdir()


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite+aiosqlite:///{tmp_path / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()


async def tried_out(
    store: SqlStore,
    images: Images,
    *,
    build: Build = BUILD,
    index: str = "https://index.example/",
    target: Target = "compose",
    installing: FailureError | None = None,
) -> Rehearsal:
    """What is kept of a package whose image is built by those `images`."""
    request = TestRequest(files={"agent.py": "def run(q): return q"}, query="q", model="none")
    test_id = (await store.submit("me", request, max_queued=9)).id
    await store.claim("w", lease_seconds=20, max_per_user=9, max_total=9, count=1)
    await store.start_running(test_id, 1, environment=None, build=build)
    result = Result(response="q", entry_point="agent.py:run", framework="function")
    await store.complete(test_id, 1, Completion(outcome=Outcome.SUCCEEDED, result=result), [])
    tested = Tested(test=await store.test("me", test_id), build=build)
    await store.keep_package("me", test_id, make_package(tested, target))
    claim = await store.claim_rehearsal(lease_seconds=60)
    assert claim is not None
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(index_url=index, data_dir=Path(folder))
        installer = cast("Any", Installer(Path(folder) / "tree", installing))
        nothing = cast("Any", None)
        deps = RehearsalDeps(store, cast("Any", images), images, installer, nothing, settings)
        await Rehearsals(deps).rehearse(claim)
    [kept] = await store.packages("me", test_id)
    return kept.rehearsal


async def test_an_image_that_does_not_build_fails_with_what_the_engine_said(
    store: SqlStore,
) -> None:
    images = Images(EngineRefused("THESE PACKAGES DO NOT MATCH THE HASHES"))
    told = await tried_out(store, images)
    assert told.state == "failed"
    assert [(one.name, one.result) for one in told.checks] == [(BUILDS, "failed")]
    assert "DO NOT MATCH" in told.checks[0].detail
    assert set(images.built) == set(images.removed)


async def test_requirements_that_cannot_be_installed_fail_with_the_end_of_the_output(
    store: SqlStore,
) -> None:
    why = failure("dependencies.build_failed", "They do not install.", evidence="HASHES DIFFER")
    images = Images(EngineRefused("never asked"))
    told = await tried_out(store, images, installing=FailureError(why))
    assert [(one.name, one.result) for one in told.checks] == [(BUILDS, "failed")]
    assert told.checks[0].detail == "They do not install. HASHES DIFFER"
    assert set(images.built) < set(images.removed)


async def test_a_template_is_read_even_where_no_image_can_be_built(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    refused = Images(EngineRefused("no"))
    told = await tried_out(store, refused, target="lambda")
    assert [(one.name, one.result) for one in told.checks] == [
        (BUILDS, "failed"),
        (LINTS, "skipped"),
    ]


async def test_an_engine_that_goes_away_is_no_fault_of_the_package(store: SqlStore) -> None:
    told = await tried_out(store, Images(EngineUnavailable("The engine does not answer.")))
    assert told.state == "skipped"
    assert "could not be tried out here" in told.checks[0].detail


async def test_a_build_that_takes_longer_than_its_lease_is_held(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_LEASE_SECONDS", 0.06)
    held = asyncio.Event()

    async def hold(claim: RehearsalClaim, *, lease_seconds: float) -> None:
        held.set()
        raise StoreUnavailable("It is away for a moment: the next try comes soon.")

    class Slow(Images):
        async def build_image(self, *_: object, **__: object) -> None:
            await held.wait()
            held.clear()
            await held.wait()
            raise self.error

    monkeypatch.setattr(store, "hold_rehearsal", hold)
    async with asyncio.timeout(30):
        told = await tried_out(store, Slow(EngineRefused("the build's own end")))
    assert told.checks[0].detail == "the build's own end"


async def test_what_must_not_be_built_here_is_told_and_not_built(store: SqlStore) -> None:
    images = Images(EngineRefused("never asked"))
    compiled = BUILD.model_copy(update={"from_source": True})
    told = await tried_out(store, images, build=compiled)
    assert told.state == "skipped"
    assert {one.result for one in told.checks} == {"skipped"}
    assert "without a wheel" in told.checks[0].detail
    told = await tried_out(store, images, index="https://me:word@index.example/")
    assert "needs a password" in told.checks[0].detail
    assert images.built == []
