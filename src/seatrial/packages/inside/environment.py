"""The variables of the agent's process: the container's own, the tested ones, the secrets."""

import json

from . import aws_lambda, aws_secrets
from .config import Config

SECRETS_ARN = "AGENT_SECRETS_ARN"
"""Names a secret of AWS Secrets Manager: a JSON object of variables."""


class MissingVariables(Exception):
    """Variables that the agent needs are not set; the message names them."""


def agent_environment(config: Config, own: "dict[str, str]") -> "dict[str, str]":
    """The whole environment of the agent's processes.

    The container's own variables win over tested values, secrets over both. MissingVariables,
    SecretUnavailable.
    """
    environment = {**config.env, **{name: value for name, value in own.items() if value}}
    if aws_lambda.is_here():
        environment["HOME"] = "/tmp"  # noqa: S108 - the only folder that Lambda lets write
    arn = environment.pop(SECRETS_ARN, "")
    if arn:
        environment.update(_secrets(arn, own))
    missing = [name for name in config.secrets if not environment.get(name)]
    if missing:
        raise MissingVariables(f"Not set: {', '.join(missing)}. See .env.example and README.md.")
    return {**_of_ollama(environment, config.openai_by_ollama), **environment}


def _secrets(arn: str, own: "dict[str, str]") -> "dict[str, str]":
    found = json.loads(aws_secrets.fetch(arn, own))
    if not isinstance(found, dict):
        raise aws_secrets.SecretUnavailable("The secret is no JSON object of variables.")
    return {str(name): str(value) for name, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _of_ollama(environment: "dict[str, str]", speaks_openai: bool) -> "dict[str, str]":
    """Other names by which libraries look for the Ollama at OLLAMA_HOST."""
    host = environment.get("OLLAMA_HOST", "")
    if not host:
        return {}
    url = host if "://" in host else f"http://{host}"
    openai = f"{url.rstrip('/')}/v1"
    found = {"OLLAMA_API_BASE": url, "OLLAMA_BASE_URL": openai}
    if speaks_openai:
        found |= {"OPENAI_BASE_URL": openai, "OPENAI_API_BASE": openai, "OPENAI_API_KEY": "none"}
    return found
