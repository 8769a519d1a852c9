"""Tries packages out on this worker's engine, in the background, one at a time.

The Dockerfile's commands run in sandboxes, and the image is built from what they made, on the base
image of the test, without a network. It runs in a slot of its own, without any network but a door
that answers from the test's recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from seatrial.domain.builds import Build
from seatrial.domain.errors import (
    EngineRefused,
    FailureError,
    NotFound,
    PlatformError,
    SeatrialError,
    SetupFailed,
    StoreUnavailable,
)
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.packages import Check, RehearsalClaim
from seatrial.domain.ports import (
    ContainerLimits,
    Engine,
    ImageBuilder,
    ImageLimits,
    ResolvedModel,
    Store,
)
from seatrial.domain.recordings import Replay
from seatrial.domain.tests import Test
from seatrial.environments import PackageInstall, PackageInstaller
from seatrial.environments.index import find_index
from seatrial.harness.protocol import Assign, Log
from seatrial.harness.sdk_env import PLACEHOLDER, sdk_environment
from seatrial.settings import Settings
from seatrial.slots import FrameBatch, SlotEnd, Slots, SlotSpec

from .linting import lint
from .rehearsal_image import base_dockerfile, files_of, recipe_of, write_context, write_files
from .replay import replayed_model

log = logging.getLogger(__name__)

REHEARSAL = "rehearsal"
"""Stands in place of a test's id on the label of the container."""

BUILDS, BOOTS = "the image builds with the Dockerfile as shipped", "it boots and answers /ping"
HARDENED = "it runs read-only and without root"
ANSWERS, STOPS = "it answers the tested query", "it stops on SIGTERM"

_LEASE_SECONDS = 180.0
"""How soon another worker tries out what one left that died; a database may be away for as long."""
_BUILD_SECONDS = 900.0
_BOOT_SECONDS = 100.0
_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class RehearsalDeps:
    """What rehearsals work with."""

    store: Store
    engine: Engine
    images: ImageBuilder
    installer: PackageInstaller
    slots: Slots
    settings: Settings


class Rehearsals:
    """Tries out what was packaged. Trouble of a rehearsal is told in its checks, never raised."""

    def __init__(self, deps: RehearsalDeps) -> None:
        """Nothing happens before `run`."""
        self._deps = deps
        self._due = asyncio.Event()

    def look(self) -> None:
        """There may be something to try out."""
        self._due.set()

    async def run(self) -> None:
        """Until cancelled. A database or an engine that is away is waited for."""
        self._due.set()
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                while claim := await self._claim():
                    await self.rehearse(claim)
            except PlatformError as error:
                log.warning("packages cannot be tried out now: %s", error)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _claim(self) -> RehearsalClaim | None:
        return await self._deps.store.claim_rehearsal(lease_seconds=_LEASE_SECONDS)

    async def rehearse(self, claim: RehearsalClaim) -> None:
        """Try one out and keep what came out. Platform errors of the store."""
        try:
            test = await self._deps.store.test(claim.owner, claim.test_id)
            build = await self._deps.store.build_of(claim.owner, claim.test_id)
        except NotFound:
            return  # the test was removed, and its packages with it
        if build is None:
            return
        holding = asyncio.create_task(self._hold(claim))
        try:
            checks = await _Rehearsal(self._deps, claim, test, build).checks()
        finally:
            holding.cancel()
        await self._deps.store.rehearsed(claim, checks)

    async def _hold(self, claim: RehearsalClaim) -> None:
        """Renew the lease until cancelled."""
        while True:
            await asyncio.sleep(_LEASE_SECONDS / 6)
            with contextlib.suppress(StoreUnavailable):
                await self._deps.store.hold_rehearsal(claim, lease_seconds=_LEASE_SECONDS)


class _Rehearsal:
    """One package."""

    def __init__(
        self, deps: RehearsalDeps, claim: RehearsalClaim, test: Test, build: Build
    ) -> None:
        self._deps, self._claim, self._test, self._build = deps, claim, test, build
        self._files = files_of(claim.content)
        self._name = f"seatrial-rehearsal:{claim.sha256[:16]}"

    async def checks(self) -> list[Check]:
        """What came out, and what was not tried."""
        template = self._files.get("infra/template.json")
        linted = [await lint(template)] if template else []
        return [*await self._image_checks(), *linted]

    async def _image_checks(self) -> list[Check]:
        if why := self._why_not():
            return [_skipped(name, why) for name in (BUILDS, BOOTS, HARDENED, ANSWERS, STOPS)]
        try:
            async with asyncio.timeout(_BUILD_SECONDS):
                await self._build_images()
            return [_passed(BUILDS), *await self._run()]
        except TimeoutError:
            return [_failed(BUILDS, f"It took longer than {_BUILD_SECONDS:.0f} s.")]
        except EngineRefused as error:
            return [_failed(BUILDS, error.message[-2000:])]
        except FailureError as error:
            said = f"{error.failure.message} {error.failure.evidence}"
            return [_failed(BUILDS, said.strip()[-2000:])]
        except SeatrialError as error:
            return [_skipped(BUILDS, f"It could not be tried out here: {error.message}")]
        finally:
            await self._remove_images()

    def _why_not(self) -> str:
        if self._build.from_source:
            return "Packages without a wheel are never compiled outside a closed container."
        try:
            index = find_index(self._deps.settings.index_url)
        except SetupFailed as error:
            return error.message
        return "The package index needs a password." if index.has_password else ""

    # ------------------------------------------------------------------ the image

    async def _build_images(self) -> None:
        """On the base image that the test had."""
        base = self._build.published or await self._deps.engine.image(self._build.python)
        limits = await self._limits()
        recipe = recipe_of(self._files, seconds=limits.seconds)
        with self._deps.installer.scratch() as folder:
            context = Path(folder) / "context.tar"
            dockerfile = base_dockerfile(base, self._claim.sha256, seconds=limits.seconds)
            write_files(context, {"Dockerfile": dockerfile})
            await self._deps.images.build_image(self._base, context, {}, limits)
            wanted = PackageInstall(
                name=self._claim.sha256[:16],
                image=self._base,
                lock=self._build.lock,
                commands=recipe.commands,
            )
            async with self._deps.installer.installed(wanted) as tree:
                await asyncio.to_thread(
                    write_context,
                    context,
                    self._files,
                    recipe.dockerfile,
                    tree,
                    most_mb=limits.context_mb,
                )
            arguments = {"PYTHON_IMAGE": self._base}
            await self._deps.images.build_image(self._name, context, arguments, limits)

    async def _limits(self) -> ImageLimits:
        settings, info = self._deps.settings, await self._deps.engine.describe()
        return ImageLimits(
            memory_mb=settings.build_memory_mb,
            cpus=min(settings.max_cpus, float(info.cpus)),
            seconds=settings.build_timeout_seconds,
            context_mb=settings.build_max_mb,
        )

    @property
    def _base(self) -> str:
        return f"{self._name}-base"

    async def _remove_images(self) -> None:
        try:
            await self._deps.images.remove_image(self._name)
            await self._deps.images.remove_image(self._base)
        except PlatformError as error:
            log.warning("the images of a rehearsal could not be removed: %s", error)

    # ------------------------------------------------------------------ the container

    async def _run(self) -> list[Check]:
        resolved, replay, why_not = await self._answers()
        said, spec = _Said(), self._slot_spec(resolved, replay)
        # A worker that died may have left one of this name.
        await self._deps.slots.discard(spec.name)
        slot = await self._deps.slots.open(spec, said.on_report)
        try:
            end = await slot.run(
                self._assignment(resolved, slot.uid, ask=not why_not), said.on_frames
            )
        finally:
            await slot.remove()
        return self._told(said.result(), end, said.text, why_not)

    async def _answers(self) -> tuple[ResolvedModel, Replay | None, str]:
        """What answers the model calls of the tested query, or why it cannot be asked here."""
        request, nothing = self._test.request, ResolvedModel(None, (), named_by_request=False)
        if request.secrets or request.egress:
            return nothing, None, "It needs hosts or secrets that a rehearsal does not have."
        source = self._test.id if request.record else request.replay_of
        if source is None:
            called = self._test.metrics and self._test.metrics.model_calls
            why = "The test was not recorded: `seatrial run --record` keeps what a model answers."
            return nothing, None, why if called else ""
        try:
            found = await replayed_model(
                self._deps.store,
                self._claim.owner,
                request.model_copy(update={"replay_of": source}),
                frozenset(),
            )
        except FailureError as error:
            return nothing, None, error.message
        return found.resolved, found.replay, ""

    def _slot_spec(self, resolved: ResolvedModel, replay: Replay | None) -> SlotSpec:
        limits = self._test.request.limits
        return SlotSpec(
            name=f"seatrial-rehearsal-{self._claim.sha256[:16]}",
            test_id=REHEARSAL,
            attempt=0,
            image=self._name,
            limits=ContainerLimits(
                memory_mb=limits.memory_mb + 128,
                cpus=limits.cpus,
                processes=limits.processes + 64,
                open_files=limits.open_files,
            ),
            disk_mb=limits.disk_mb,
            upstreams=resolved.upstreams,
            replay=replay,
            allow=self._test.request.allow,
        )

    def _assignment(self, resolved: ResolvedModel, uid: int, *, ask: bool) -> Assign:
        request, ref = self._test.request, resolved.ref
        source = resources.files("seatrial.worker.inside") / "rehearse.py"
        keys = (up.credential for up in resolved.upstreams)
        environment = sdk_environment(
            model=ref.name if ref else None,
            provider=ref.provider if ref else None,
            region=next((found.region for found in keys if found is not None), None),
        )
        needed = dict.fromkeys((*request.secrets, "SEATRIAL_MODEL"), PLACEHOLDER)
        return Assign(
            mode="command",
            argv=["python", "-c", source.read_text("utf-8"), *([request.query] if ask else [])],
            files=dict(request.files),
            entry_point=None,
            query="",
            env={**needed, **environment},
            uid=uid,
            python="/opt/venv/bin/python",
            deadline_seconds=request.timeout_seconds + _BOOT_SECONDS,
            log_bytes=request.limits.log_kb * 1024 + request.limits.response_kb * 2048,
            response_bytes=0,
            collect=[],
            grace_seconds=0.5,
            workdir="/agent",
        )

    def _told(
        self, told: dict[str, Any] | None, end: SlotEnd, said: str, why_not: str
    ) -> list[Check]:
        if told is None:
            how = f"exit code {end.exit.code}" if end.exit else "no exit was reported"
            return [_failed(BOOTS, f"The rehearsal ended early ({how}): {said[-1500:]}")]
        checks = [
            _checked(BOOTS, told.get("ping") == 200, f"/ping: {told.get('ping')}. {said[-1500:]}"),
            _checked(
                HARDENED,
                bool(told.get("read_only")) and told.get("uid") != 0,
                f"user {told.get('uid')}, read-only: {told.get('read_only')}",
            ),
        ]
        checks.append(_skipped(ANSWERS, why_not) if why_not else self._answered(told))
        checks.append(_checked(STOPS, told.get("exit") == 0, f"exit code {told.get('exit')}"))
        return checks

    def _answered(self, told: dict[str, Any]) -> Check:
        answer: dict[str, Any] = told.get("answer") or {}
        response = str(answer.get("response", ""))
        if told.get("status") != 200 or not response:
            return _failed(ANSWERS, f"{told.get('status')}: {answer.get('error', '')}"[:1500])
        tested = self._test.result.response if self._test.result else ""
        same = response == tested
        return _passed(ANSWERS, "as in the test" if same else "another answer than in the test")


class _Said:
    """What the container writes."""

    def __init__(self) -> None:
        self.text = ""
        self._out = ""

    async def on_frames(self, batch: FrameBatch) -> None:
        for _, frame in batch:
            if isinstance(frame, Log):
                if frame.stream == "stdout":
                    self._out += frame.text
                self.text += frame.text

    async def on_report(self, event: ModelCallEvent | NoticeEvent) -> None:
        """Calls are the recording's own."""

    def result(self) -> dict[str, Any] | None:
        """The last line of standard output, which the program wrote."""
        last = self._out.rstrip("\n").rpartition("\n")[2]
        try:
            found = json.loads(last)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _checked(name: str, good: bool, detail: str) -> Check:
    return _passed(name) if good else _failed(name, detail)


def _passed(name: str, detail: str = "") -> Check:
    return Check(name=name, result="passed", detail=detail)


def _failed(name: str, detail: str) -> Check:
    return Check(name=name, result="failed", detail=detail)


def _skipped(name: str, detail: str) -> Check:
    return Check(name=name, result="skipped", detail=detail)
