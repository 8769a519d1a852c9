"""A succeeded test with everything that is known of its run: what a package is made of. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlsplit

from seatrial.domain.allowances import S3, values_of
from seatrial.domain.builds import Build, UsedService
from seatrial.domain.events import ModelCallEvent
from seatrial.domain.requests import TEST_MODEL, ModelRef
from seatrial.domain.tests import Result, Test
from seatrial.harness.sdk_env import QUIET

OPENAI_KEY, ANTHROPIC_KEY = "OPENAI_API_KEY", "ANTHROPIC_API_KEY"
OLLAMA_HOST = "OLLAMA_HOST"
MODEL = "SEATRIAL_MODEL"

_PUBLIC = {"https://api.openai.com/v1", "https://api.anthropic.com"}
"""Addresses that the SDKs know by themselves."""

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Tested:
    """A test that succeeded, what it ran on, and what it called and reached.

    `hosts` are the hosts that were reached besides models, `host:port`.
    """

    __test__: ClassVar[bool] = False

    test: Test
    build: Build
    calls: tuple[ModelCallEvent, ...] = ()
    hosts: tuple[str, ...] = ()

    @cached_property
    def result(self) -> Result:
        """The answer; a succeeded test has one."""
        assert self.test.result is not None
        return self.test.result

    @cached_property
    def model(self) -> ModelRef | None:
        """The model that answered; None for an agent without one."""
        return ModelRef.parse(self.result.model) if self.result.model else None

    @property
    def provider(self) -> str:
        """The kind of its model service; `none` without one."""
        return self.model.provider if self.model else "none"

    @property
    def on_test_model(self) -> bool:
        """Whether the built-in test model answered: where it runs, a real one has to be named."""
        return self.result.model_fallback or self.test.request.model == TEST_MODEL

    @property
    def architecture(self) -> str:
        """`x86_64` or `aarch64`."""
        return _ARCHITECTURES.get(self.build.architecture, self.build.architecture)

    @cached_property
    def services(self) -> tuple[UsedService, ...]:
        """The model services, without the second door to an Ollama."""
        return tuple(one for one in self.build.services if not self._is_ollamas(one))

    @property
    def openai_by_ollama(self) -> bool:
        """Whether OpenAI's SDK leads to Ollama, as it did in the test."""
        return any(self._is_ollamas(one) for one in self.build.services)

    @cached_property
    def bedrock_models(self) -> tuple[str, ...]:
        """The models of Bedrock that the agent called; when it called none, those it might."""
        called = {one.model for one in self.calls if one.provider == "bedrock" and not one.error}
        might = {name for one in self.services if one.provider == "bedrock" for name in one.models}
        return tuple(sorted(called or might))

    @property
    def buckets(self) -> tuple[str, ...]:
        """The S3 buckets that the test let Bedrock read."""
        if not self.bedrock_models:
            return ()
        return values_of(S3, self.test.request.allow)

    @property
    def region(self) -> str | None:
        """The AWS region of its models."""
        return next((one.region for one in self.services if one.region), None)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Variables that hold a secret, which a package only names."""
        keys = {"openai": OPENAI_KEY, "anthropic": ANTHROPIC_KEY}
        names = {keys[one.provider] for one in self.services if self._needs_key(one)}
        return tuple(sorted(names | set(self.test.request.secrets)))

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """Variables that must say where a service is, or which model, where the package runs.

        Only the test's machine has the one that was tested with.
        """
        names = {OLLAMA_HOST for one in self.services if one.provider == "ollama"}
        names |= {
            _base_url(one)
            for one in self.services
            if one.provider in {"openai", "anthropic"} and is_local(one.base_url)
        }
        if self.on_test_model:
            names.add(MODEL)
        return tuple(sorted(names))

    @cached_property
    def variables(self) -> dict[str, str]:
        """Variables with their tested values, as far as they mean the same elsewhere."""
        found = {"SEATRIAL": "1", **QUIET}
        if self.model is not None:
            found["SEATRIAL_PROVIDER"] = self.model.provider
            if not self.on_test_model:
                found[MODEL] = self.model.name
        if self.region:
            found |= {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        for one in self.services:
            if one.provider not in {"openai", "anthropic"}:
                continue
            if not is_local(one.base_url) and one.base_url.rstrip("/") not in _PUBLIC:
                found[_base_url(one)] = one.base_url
            if not self._needs_key(one):
                found[OPENAI_KEY if one.provider == "openai" else ANTHROPIC_KEY] = "not-needed"
        return dict(sorted({**found, **self.test.request.env}.items()))

    def _is_ollamas(self, service: UsedService) -> bool:
        ollamas = {one.base_url for one in self.build.services if one.provider == "ollama"}
        return service.provider == "openai" and service.base_url.removesuffix("/v1") in ollamas

    @staticmethod
    def _needs_key(service: UsedService) -> bool:
        public = service.base_url.rstrip("/") in _PUBLIC
        return service.provider in {"openai", "anthropic"} and (service.has_key or public)


def is_local(url: str) -> bool:
    """Whether an address means something on one machine only.

    >>> is_local("http://127.0.0.1:8000/v1"), is_local("https://models.example/v1")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _base_url(service: UsedService) -> str:
    return "OPENAI_BASE_URL" if service.provider == "openai" else "ANTHROPIC_BASE_URL"
