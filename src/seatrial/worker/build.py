"""What an attempt runs on, as it is kept for the packages of its test."""

from __future__ import annotations

from seatrial.domain.builds import Build, UsedService, plain_address
from seatrial.domain.ports import Environment, ResolvedModel, Upstream


def build_of(environment: Environment, resolved: ResolvedModel, python: str) -> Build:
    """The build of an attempt with that Python version. No credential is in it."""
    return Build(
        python=python,
        architecture=environment.architecture,
        image=environment.image,
        published=environment.published,
        lock=environment.lock,
        from_source=environment.from_source,
        services=tuple(_service(upstream) for upstream in resolved.upstreams),
    )


def _service(upstream: Upstream) -> UsedService:
    return UsedService(
        provider=upstream.provider,
        base_url=plain_address(upstream.base_url),
        models=tuple(sorted(upstream.models)),
        region=upstream.credential.region if upstream.credential else None,
        has_key=upstream.key is not None or upstream.credential is not None,
    )
