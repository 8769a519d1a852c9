"""The failures that a preflight ends with."""

from __future__ import annotations

from seatrial.domain.advice import advice
from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError
from seatrial.domain.failures import failure
from seatrial.domain.ports import Upstream
from seatrial.gateway import keys
from seatrial.gateway.admission import shown
from seatrial.gateway.scrub import KnownSecrets

SECONDS = 5.0
"""How long one question to a provider may take."""


def refusal(
    code: str,
    upstream: Upstream,
    model: str,
    message: str,
    *,
    said: str = "",
    now: AwsKeys | None = None,
    to_do: str = "",
    fix: dict[str, str | int] | None = None,
) -> FailureError:
    """The failure with what to do. `said` are the provider's own words: they are the evidence.

    `now` are the AWS keys that were asked with. No word of theirs brings a secret back. Without
    `to_do` it is what the provider's errors of this kind usually need.
    """
    scrubber = KnownSecrets(keys.secrets(upstream, now))
    said = shown(scrubber.text(said), 600)
    return FailureError(
        failure(
            code,
            scrubber.text(f"{message} {said}".strip()),
            what_to_do=to_do or advice(upstream.provider, model, code, said or message),
            evidence=said,
            fix=fix,
        )
    )
