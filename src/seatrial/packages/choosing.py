"""Which tests can be packaged, for which targets, and why not. Pure."""

from __future__ import annotations

from seatrial.domain.packages import Target as TargetName
from seatrial.domain.packages import TargetChoice
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Test

from .targets import REGISTRY
from .tested import Tested

_FITTING: dict[str, TargetName] = {
    "bedrock": "agentcore",
    "openai": "lambda",
    "anthropic": "lambda",
    "ollama": "fargate",
    "none": "lambda",
}
"""The target that fits each provider best."""


def refusal(test: Test) -> str:
    """Why no package can be made of the test; empty when one can."""
    if test.outcome is None:
        return "The test has not ended yet; only a succeeded one is packaged."
    if test.outcome is not Outcome.SUCCEEDED or test.result is None:
        why = f": {test.failure.title}" if test.failure else "."
        return f"Only a succeeded test is packaged; this one {_ended(test.outcome)}{why}"
    leaked = test.receipt.leaked_artifacts if test.receipt else ()
    if leaked:
        return (
            f"A secret stands in what would be packed ({', '.join(leaked)}). Take it out of the "
            "agent's files or answer, and test again."
        )
    if not test.result.entry_point:
        return "What was called in the agent's file was not kept with this test. Test it again."
    return ""


def choices(tested: Tested) -> tuple[TargetChoice, ...]:
    """Every target, with the reason where it cannot run this test."""
    best = default_target(tested)
    return tuple(
        TargetChoice(
            target=one.name,
            title=one.title,
            default=one.name == best,
            refused=one.refused(tested),
        )
        for one in REGISTRY.values()
    )


def default_target(tested: Tested) -> TargetName:
    """The target that fits the provider, else the first that can run the test."""
    fitting: TargetName = _FITTING.get(tested.provider, "compose")
    for name in (fitting, *REGISTRY):
        if not REGISTRY[name].refused(tested):
            return name
    return "compose"


def _ended(outcome: Outcome) -> str:
    return {Outcome.TIMED_OUT: "timed out"}.get(outcome, outcome.value)
