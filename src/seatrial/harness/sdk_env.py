"""The environment variables by which unmodified SDKs find the gateway.

Every name was tried with the client that reads it; which client reads which is in the comments.
"""

from typing import Optional

BASE = "http://127.0.0.1:8377"
"""Where the forwarder listens inside the container."""

PLACEHOLDER = "seatrial-placeholder"
"""Stands where SDKs insist on a key. The gateway puts the real credential in its place."""

AWS_ACCESS_KEY = "AKIASEATRIALPLACEHOL"
"""The access key id that goes with the placeholder; it has the length of a real one."""


def sdk_environment(
    base: str = BASE,
    model: Optional[str] = None,
    provider: Optional[str] = None,
    region: Optional[str] = None,
) -> dict[str, str]:
    """All aliases of all providers at once, and the switches that keep SDKs from calling home."""
    named = {"SEATRIAL_MODEL": model, "SEATRIAL_PROVIDER": provider}
    return {
        "SEATRIAL": "1",
        **{name: value for name, value in named.items() if value is not None},
        **_ollama(f"{base}/ollama"),
        **_openai(f"{base}/openai/v1"),
        **_anthropic(f"{base}/anthropic"),
        **_bedrock(f"{base}/bedrock", region or "us-east-1"),
        **_google(f"{base}/google"),
        **_proxy(base),
        **QUIET,
    }


def _ollama(url: str) -> dict[str, str]:
    return {
        "OLLAMA_HOST": url,  # ollama, langchain-ollama, Strands, Agno
        "OLLAMA_API_BASE": url,  # LiteLLM
        "OLLAMA_BASE_URL": f"{url}/v1",  # PydanticAI
    }


def _openai(url: str) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": url,  # openai and most that are built on it, LiteLLM
        "OPENAI_API_BASE": url,  # LlamaIndex
        "OPENAI_API_KEY": PLACEHOLDER,
    }


def _anthropic(url: str) -> dict[str, str]:
    return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": PLACEHOLDER}


def _bedrock(url: str, region: str) -> dict[str, str]:
    """No bearer token: botocore refuses one over plain http, and it would win over the keys."""
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,  # boto3 and all that use it
        "AWS_BEDROCK_RUNTIME_ENDPOINT": url,  # LiteLLM
        "ANTHROPIC_BEDROCK_BASE_URL": url,  # anthropic's AnthropicBedrock
        "AWS_ACCESS_KEY_ID": AWS_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": PLACEHOLDER,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _google(url: str) -> dict[str, str]:
    return {
        "GOOGLE_GEMINI_BASE_URL": url,  # google-genai, the Agent Development Kit
        "GEMINI_API_BASE": url,  # LiteLLM
        "GEMINI_API_KEY": PLACEHOLDER,
        "GOOGLE_API_KEY": PLACEHOLDER,
    }


def _proxy(base: str) -> dict[str, str]:
    """The way to allowed hosts: CONNECT to the gateway. The loopback itself needs no proxy."""
    direct = "127.0.0.1,localhost,::1"
    return {
        "HTTP_PROXY": base,
        "HTTPS_PROXY": base,
        "http_proxy": base,
        "https_proxy": base,
        "NO_PROXY": direct,
        "no_proxy": direct,
    }


QUIET = {
    "AGNO_TELEMETRY": "false",
    "ANONYMIZED_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else its import fetches a list from the internet
    "OPENAI_AGENTS_DISABLE_TRACING": "1",  # its traces go to an address that no variable moves
    "OTEL_SDK_DISABLED": "true",
}
"""Switches that keep SDKs and frameworks from calling home."""
