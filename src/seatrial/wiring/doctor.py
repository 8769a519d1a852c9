"""Examines what Seatrial needs on this machine, and with consent sets up what is missing."""

from __future__ import annotations

import contextlib
import shutil
import ssl
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Literal

import httpx

from seatrial.domain.errors import SeatrialError
from seatrial.domain.ports import Engine, ProviderState
from seatrial.engines.install import install_plan
from seatrial.engines.private import find_socket, missing_kind
from seatrial.engines.remote import exposure
from seatrial.environments.index import find_certificates, find_index
from seatrial.gateway import LocalProviders, SocketGateway
from seatrial.settings import Settings
from seatrial.slots import DoorChoice, SelfTest, Slots
from seatrial.slots.limit_probe import HINT, not_enforced

from . import retention
from .datadir import make_private, private_files
from .late_engine import LateEngine
from .owner import installation_id, owner_pid
from .parts import SharedTestModel, engine_socket

State = Literal["ok", "warning", "problem"]
Progress = Callable[[str], None]

_DISK_PROBLEM_GB = 1.0
_DISK_WARNING_GB = 5.0


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing that tests need."""

    name: str
    state: State
    detail: str
    what_to_do: str = ""


async def examine(settings: Settings, *, fix: bool, progress: Progress) -> list[Finding]:
    """Look at everything in the order in which a test needs it.

    With `fix` a missing engine is installed and started where that is possible, and the base
    image is pulled or built. Never raises for what it finds.
    """
    with private_files():
        return await _examined(settings, progress, fix=fix)


async def _examined(settings: Settings, progress: Progress, *, fix: bool) -> list[Finding]:
    findings = [_disk(settings)]
    if warning := retention.warning(settings):
        findings.append(Finding("history", "warning", warning, "Set SEATRIAL_RETENTION_DAYS=30"))
    findings += _engine_address(settings)
    async with _engine(settings, progress, may_install=fix) as engine:
        found = await _engine_finding(engine, settings)
        findings.append(found)
        if found.state != "problem":
            image = await _image(engine, settings, progress)
            findings.append(image)
            if image.state == "ok":
                findings.append(await _limits(engine, settings))
                findings.append(await _door(engine, settings))
                findings.append(await _isolation(engine, settings))
    findings.append(await _index(settings))
    findings += await _models(settings)
    return findings


@contextlib.asynccontextmanager
async def _engine(
    settings: Settings, progress: Progress, *, may_install: bool
) -> AsyncGenerator[LateEngine]:
    """An engine for the examination; a private one runs on only for a process that needs it."""
    engine = LateEngine(settings, progress, may_install=may_install)
    try:
        yield engine
    finally:
        serving = owner_pid(settings.data_dir) is not None
        await (engine.disconnect() if serving else engine.aclose())


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    make_private(folder)
    free = shutil.disk_usage(folder).free / 2**30
    detail = f"{free:.1f} GiB free in {folder}"
    if free >= _DISK_WARNING_GB:
        return Finding("disk", "ok", detail)
    hint = "Free some space: seatrial environments prune, seatrial tests clear"
    return Finding("disk", "problem" if free < _DISK_PROBLEM_GB else "warning", detail, hint)


def _engine_address(settings: Settings) -> list[Finding]:
    """Whether others can use the engine, where its address is one of the network without TLS."""
    found = exposure(find_socket(settings) or "") if settings.engine != "fake" else None
    return [Finding("engine address", "warning", found.text, found.hint)] if found else []


async def _engine_finding(engine: Engine, settings: Settings) -> Finding:
    try:
        info = await engine.describe()
    except SeatrialError as error:
        hint = error.hint or install_plan().text
        if missing_kind(settings) and install_plan().possible:
            hint += " Say yes with: seatrial doctor --fix --yes"
        return Finding("engine", "problem", error.message, hint)
    detail = f"{info.name} {info.version} ({'rootless' if info.rootless else 'as root'})"
    if any("has no runtime" in warning for warning in info.warnings):
        hint = "Give it that runtime, or unset SEATRIAL_CONTAINER_RUNTIME."
        return Finding("engine", "problem", f"{detail}: {'; '.join(info.warnings)}", hint)
    if info.warnings:
        return Finding("engine", "warning", f"{detail}: {'; '.join(info.warnings)}", "Upgrade it.")
    return Finding("engine", "ok", detail)


async def _image(engine: Engine, settings: Settings, progress: Progress) -> Finding:
    try:
        image = await engine.image(settings.python, progress=progress)
    except SeatrialError as error:
        return Finding("base image", "problem", error.message, error.hint or _IMAGE_HELP)
    return Finding("base image", "ok", f"Python {settings.python}: {image[:19]}")


async def _limits(engine: Engine, settings: Settings) -> Finding:
    """Let a container exceed each of its limits."""
    try:
        async with _self_test(engine, settings) as test:
            unenforced = await test.run_limits(await engine.image(settings.python))
            refused = await test.refused(unenforced)
    except SeatrialError as error:
        return Finding("limits", "problem", error.message, error.hint or HINT)
    if unenforced:
        state: State = "problem" if refused else "warning"
        return Finding(
            "limits", state, not_enforced(refused or unenforced), HINT if refused else ""
        )
    return Finding(
        "limits",
        "ok",
        "enforced: memory, CPU, processes, disk, a read-only image and the filter of system calls, "
        "each tried",
    )


async def _door(engine: Engine, settings: Settings) -> Finding:
    """Which way a container's sockets go into it, as a worker would find it out."""
    choice = DoorChoice(
        engine,
        settings.door,
        state=settings.data_dir,
        installation=installation_id(settings.data_dir),
    )
    try:
        found = await choice.found(await engine.image(settings.python))
    except SeatrialError as error:
        return Finding("door", "problem", error.message, error.hint)
    return Finding("door", "ok", f"{found.kind}: {found.why}")


@contextlib.asynccontextmanager
async def _self_test(engine: Engine, settings: Settings) -> AsyncGenerator[SelfTest]:
    """The self-test that a worker makes before its first test."""
    gateway = SocketGateway()
    try:
        yield Slots(
            engine,
            gateway,
            state=settings.data_dir,
            installation=installation_id(settings.data_dir),
            engine_socket=engine_socket(settings),
            door=settings.door,
            allow_unenforced=settings.allow_unenforced_limits,
        ).self_test
    finally:
        await gateway.aclose()


async def _isolation(engine: Engine, settings: Settings) -> Finding:
    """Let a probe try every way out of a container, now."""
    try:
        async with _self_test(engine, settings) as test:
            result = await test.run(await engine.image(settings.python))
    except SeatrialError as error:
        return Finding("isolation", "problem", error.message, error.hint)
    if result.passed:
        return Finding("isolation", "ok", result.text)
    hint = "Nothing is run here until that is closed: look at the engine's own settings."
    return Finding("isolation", "problem", result.text, hint)


async def _index(settings: Settings) -> Finding:
    hint = "Check the network, or set SEATRIAL_INDEX_URL to an index that can be reached."
    try:
        url = find_index(settings.index_url).url.rstrip("/")
        trusted = ssl.create_default_context(cadata=find_certificates().decode())
        async with httpx.AsyncClient(timeout=5.0, follow_redirects=True, verify=trusted) as client:
            answer = await client.get(f"{url}/pip/")
            answer.raise_for_status()
    except (httpx.HTTPError, ssl.SSLError) as error:
        return Finding("package index", "warning", f"does not answer: {error}", hint)
    except SeatrialError as error:
        return Finding("package index", "warning", error.message, error.hint or hint)
    return Finding("package index", "ok", "answers")


async def _models(settings: Settings) -> list[Finding]:
    test_model = SharedTestModel()
    try:
        if settings.test_model:
            # A provider is asked for two seconds only; the model may need longer to load.
            await test_model.url()
        states = await LocalProviders(settings, test_model.url).states()
    except SeatrialError as error:
        return [Finding("models", "problem", error.message, error.hint or _HELP["testmodel"])]
    finally:
        await test_model.aclose()
    any_model = any(state.reachable and state.models for state in states)
    return [_provider(state, other_serves=any_model) for state in states]


def _provider(state: ProviderState, *, other_serves: bool) -> Finding:
    name = f"model: {state.name}"
    if state.reachable and state.models:
        shown = ", ".join(state.models[:5]) + (" …" if len(state.models) > 5 else "")
        return Finding(name, "ok", shown)
    trouble: State = "warning" if other_serves else "problem"
    if state.reachable:
        return Finding(name, trouble, "it has no model", "Pull one, e.g. ollama pull llama3.2")
    return Finding(name, trouble, state.reason, _HELP.get(state.name, ""))


_IMAGE_HELP = "Check the network, or set SEATRIAL_REGISTRY to a registry that can be reached."
_HELP = {
    "ollama": "Start Ollama, or set OLLAMA_HOST to where it runs.",
    "openai": "Check OPENAI_BASE_URL and OPENAI_API_KEY.",
    "anthropic": "Check ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL.",
    "bedrock": "Check the AWS credentials of this user, and AWS_REGION.",
    "testmodel": "Install it: pip install 'seatrial[testmodel]'",
}
