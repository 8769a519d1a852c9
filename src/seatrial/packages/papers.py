"""What a package says about itself: manifest, receipt and README. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from .archive import digest
from .image import base_image
from .render import render
from .sizing import Number, run_seconds
from .tested import Tested

if TYPE_CHECKING:
    from .targets.base import Target

NOT_CHECKED = (
    "deploying to a real AWS account: ./deploy.sh",
    "building and running on ARM64 hardware: docker build --platform linux/arm64 agent",
    "the speed and the price of the cloud",
)
"""What no check of Seatrial's covers, with the command that does."""


def receipt(tested: Tested, target: Target) -> str:
    """The facts of the run that the package was made from."""
    test, build = tested.test, tested.build
    durations = test.metrics.durations if test.metrics else None
    facts = {
        "test": test.id,
        "target": target.name,
        "seatrial": version("seatrial"),
        "query": test.request.query,
        "response": tested.result.response,
        "timeout_seconds": test.request.timeout_seconds,
        "entry_point": tested.result.entry_point,
        "framework": tested.result.framework,
        "model": tested.result.model,
        "replay_of": tested.result.replay_of,
        "python": build.python,
        "architecture": tested.architecture,
        "tested_image": build.image,
        "base_image": base_image(tested),
        "lock_sha256": digest(build.lock.encode()),
        "environment": test.environment,
        "models_called": sorted({f"{one.provider}:{one.model}" for one in tested.calls}),
        "hosts_reached": list(tested.hosts),
        "metrics": test.metrics.model_dump(mode="json", exclude={"durations"})
        if test.metrics
        else None,
        "durations_seconds": durations.model_dump(mode="json") if durations else None,
        "receipt": test.receipt.model_dump(mode="json") if test.receipt else None,
        "numbers": {
            name: {"value": number.value, "from": number.why}
            for name, number in target.numbers(tested).items()
        },
        "tried_out": f"seatrial package {test.id} --list",
        "not_checked": list(NOT_CHECKED),
    }
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def manifest(tested: Tested, target: Target, files: Mapping[str, bytes]) -> str:
    """The SHA-256 of every other file."""
    facts = {
        "test": tested.test.id,
        "target": target.name,
        "files": {path: digest(content) for path, content in sorted(files.items())},
    }
    return json.dumps(facts, indent=2) + "\n"


def readme(tested: Tested, target: Target, name: str) -> str:
    """How to deploy it, what it costs, what each number comes from, what to do in trouble."""
    return render(
        "README.md",
        {
            "NAME": name,
            "TITLE": target.title,
            "TEST_ID": tested.test.id,
            "MODEL": tested.result.model or "no model",
            "SECONDS": f"{run_seconds(tested):.1f}",
            "PREREQUISITES": target.prerequisites,
            "FILL": _fill(tested, target),
            "AFTER": target.after,
            "COSTS": target.costs,
            "NOTES": _list(notes(tested, target)),
            "NUMBERS": _numbers(target.numbers(tested)),
            "HOSTS": _hosts(tested),
            "PYTHON": tested.build.python,
            "ARCHITECTURE": tested.architecture,
            "TROUBLE": target.trouble,
            "NOT_CHECKED": _list(NOT_CHECKED),
        },
    )


def notes(tested: Tested, target: Target) -> tuple[str, ...]:
    """What the user has to know or to set."""
    found: list[str] = []
    if tested.on_test_model:
        found.append(
            "The test ran on the built-in test model. The package is for Ollama: set "
            "SEATRIAL_MODEL to a model of yours, and test with it before you rely on it."
        )
    if tested.secrets:
        found.append(f"Fill in .env: {', '.join(tested.secrets)}. No value is in the package.")
    if named := _needed(tested, target, tested.addresses):
        found.append(f"Say in .env what {', '.join(named)} is where it runs.")
    found += target.notes(tested)
    if not tested.build.published:
        found.append(
            "The test's base image was built where it ran, from Debian packages, or its registry "
            f"did not tell its digest. The Dockerfile names the official one, {base_image(tested)}."
        )
    if tested.build.from_source:
        found.append("Some packages have no wheel: the image build compiles them.")
    if target.machine(tested) != tested.architecture:
        found.append(
            f"{target.title} runs {target.machine(tested)}; the test ran on {tested.architecture}."
        )
    if allowed := tested.test.request.allow:
        found.append(
            f"The test allowed its model service more than answers: {', '.join(allowed)}. "
            "Nothing limits this where the package runs, except its IAM policy."
        )
    if tested.result.replay_of:
        found.append("The test's model calls were answered from a recording, not by a model.")
    return tuple(found)


def _needed(tested: Tested, target: Target, names: Iterable[str]) -> list[str]:
    """Those of the names that must not stay empty."""
    optional = target.optional(tested)
    return [name for name in names if name not in optional]


def _fill(tested: Tested, target: Target) -> str:
    names = _needed(tested, target, (*tested.secrets, *tested.addresses))
    if not names:
        may = " and ".join(target.optional(tested))
        said = f"{may} may stay empty" if may else "nothing to fill in"
        return f"cp .env.example .env        # {said}"
    return f"cp .env.example .env        # then fill in {', '.join(names)}"


def _numbers(numbers: Mapping[str, Number]) -> str:
    lines = ["| what | value | where it comes from |", "| --- | --- | --- |"]
    lines += [f"| {name} | {number.value} | {number.why} |" for name, number in numbers.items()]
    return "\n".join(lines)


def _hosts(tested: Tested) -> str:
    services = sorted({one.provider for one in tested.services})
    lines = [f"- {one}: its model service" for one in services]
    lines += [f"- {host}" for host in tested.hosts]
    return "\n".join(lines) or "- none"


def _list(items: tuple[str, ...]) -> str:
    return "\n".join(f"- {item}" for item in items) or "- nothing"
