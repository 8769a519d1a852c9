"""What the scripted services of AWS have in common: signatures, keys that expire, AWS's models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal, cast

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from multidict import CIMultiDict

from seatrial.domain.aws import AwsKeys
from seatrial.gateway import sigv4

from .base import SeenRequest

Fault = Literal["missing", "unknown", "expired", "region", "signature"]
"""Why a request is not taken."""


@dataclass(frozen=True)
class Issued:
    """Keys that a service takes. `expires` None: never. `policy` is that of their session."""

    keys: AwsKeys
    expires: datetime | None = None
    session: str = ""
    policy: Mapping[str, Any] | None = None

    def may(self, action: str, resource: str) -> bool:
        """Whether the session's policy allows it; keys without one may do everything."""
        if self.policy is None:
            return True
        return any(
            any(fnmatchcase(action, one) for one in statement["Action"])
            and any(fnmatchcase(resource, one) for one in statement["Resource"])
            for statement in self.policy["Statement"]
        )


Issuer = Callable[[str, "str | None"], "Issued | None"]
"""(access key id, session token) to the keys, None when nobody has given such."""


def signature_fault(
    seen: SeenRequest, issuer: Issuer, service: str, region: str | None
) -> Fault | None:
    """As AWS checks: keys, their time, the region, the signature. None when all is well."""
    claim = sigv4.claimed(seen.headers.get("Authorization", ""))
    if claim is None:
        return "missing"
    issued = issuer(claim.access_key, seen.headers.get("X-Amz-Security-Token"))
    if issued is None:
        return "unknown"
    if issued.expires is not None and datetime.now(UTC) >= issued.expires:
        return "expired"
    if region is not None and claim.region != region:
        return "region"
    sent = sigv4.Sent(seen.method, seen.target, CIMultiDict(seen.headers), seen.body)
    if not sigv4.matches(sent, claim, issued.keys.secret_key, service):
        return "signature"
    return None


def invalid_params(service: str, operation: str, params: Mapping[str, Any]) -> str:
    """What AWS's own description of the operation says against its parameters; empty if nothing."""
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(params, shape)
    return report.generate_report() if report.has_errors() else ""


@cache
def service_model(service: str) -> ServiceModel:
    """AWS's description of a service, as botocore carries it."""
    described = cast("Any", Loader()).load_service_model(service, "service-2")
    return ServiceModel(described, service)
