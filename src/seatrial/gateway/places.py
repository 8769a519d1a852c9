"""Where each model service is: from settings, else from the variables that its own tools read."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.settings import Settings

from .providers import ollama

OPENAI_DEFAULT = "https://api.openai.com/v1"
ANTHROPIC_DEFAULT = "https://api.anthropic.com"


class Places:
    """The addresses that this installation uses. Nothing is asked here."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        users: frozenset[str] = frozenset(),
    ) -> None:
        """Settings win over variables. `users` are the providers whose address a user named."""
        self._settings = settings
        self._environ = environ
        self._users = users

    def may_be_private(self, provider: str) -> bool | None:
        """Whether its address may lead into a private network; None for an operator's.

        That may lead anywhere, whatever those of users may.
        """
        return self._settings.allows_private_urls if provider in self._users else None

    @property
    def ollama(self) -> str:
        """Ollama's base URL."""
        given = self._settings.ollama_url or self._environ.get("OLLAMA_HOST", "")
        return ollama.address(given)

    @property
    def openai(self) -> str:
        """The base URL of OpenAI or a compatible service; it ends where `/models` begins."""
        return (self._openai_given or OPENAI_DEFAULT).rstrip("/")

    @property
    def names_openai(self) -> bool:
        """Whether an address is given: such a service may need no key."""
        return bool(self._openai_given)

    @property
    def anthropic(self) -> str:
        """Anthropic's base URL, without /v1."""
        given = self._settings.anthropic_base_url or self._environ.get("ANTHROPIC_BASE_URL", "")
        return (given or ANTHROPIC_DEFAULT).rstrip("/").removesuffix("/v1")

    def bedrock(self, region: str) -> str:
        """The base URL of Bedrock's runtime in a region."""
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return (self._runtime_given or f"https://bedrock-runtime.{region}.{suffix}").rstrip("/")

    @property
    def sts(self) -> str | None:
        """The endpoint of AWS STS; None for the region's own."""
        return self._settings.aws_sts_url or self._environ.get("AWS_ENDPOINT_URL_STS") or None

    @property
    def bedrock_control(self) -> str | None:
        """The endpoint that knows Bedrock's models; None for the region's own."""
        return self._environ.get("AWS_ENDPOINT_URL_BEDROCK") or None

    def may_ask(self, endpoint: str | None) -> bool:
        """Whether AWS may be asked there before a test.

        Where the runtime has an address of its own, the public ones of its sisters are not
        known to belong to it.
        """
        return endpoint is not None or not self._runtime_given

    @property
    def _openai_given(self) -> str:
        return self._settings.openai_base_url or self._environ.get("OPENAI_BASE_URL", "")

    @property
    def _runtime_given(self) -> str:
        return self._environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "")
