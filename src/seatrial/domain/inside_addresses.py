"""What an address means inside a container, and how to offer its service to a test. Pure."""

from __future__ import annotations

from ipaddress import ip_address

_THIS_MACHINE = frozenset(
    {
        "host.docker.internal",
        "gateway.docker.internal",
        "docker.for.mac.localhost",
        "docker.for.win.localhost",
        "host.containers.internal",
        "host.lima.internal",
        "host.orb.internal",
        "host.rancher-desktop.internal",
        "host.minikube.internal",
    }
)
_OLLAMA = 11434
_MODEL_PORTS = frozenset({1234, 1337, 3000, 4000, 5000, 5001, 8000, 8001, 8080, 8081, 30000})
"""Where LM Studio, Jan, LiteLLM, vLLM, llama.cpp, LocalAI and others listen by default."""

_OPEN_SERVICES = (
    "Tests reach model services, and public hosts over TLS (--egress HOST:443): offer the service "
    "under such a name, or use a package in place of it."
)


def meaning(host: str) -> str:
    """What the address is from inside the container; empty for a public name or address.

    >>> meaning("localhost")
    'the container itself'
    >>> meaning("api.example.com")
    ''
    """
    name = host.lower().strip("[]").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "the container itself"
    if name in _THIS_MACHINE:
        return "a name for the machine that runs the container, which tests do not reach"
    address = _meaning_of_address(name)
    if address or ":" in name or not set(name) - set("0123456789."):
        return address
    if "." not in name:
        return "the name of another container or of a machine in a local network"
    return "a name of a local network" if name.endswith((".local", ".internal", ".lan")) else ""


def _meaning_of_address(name: str) -> str:
    try:
        address = ip_address(name)
    except ValueError:
        return ""
    if address.is_loopback or address.is_unspecified:
        return "the container itself"
    if address.is_link_local:
        return "a link-local address, such as a cloud's metadata service"
    if address.is_private or not address.is_global:
        return "a private address, which tests do not reach"
    return ""


def advice(host: str, port: int) -> str:
    """How to give the test what was meant by that address."""
    written = f"[{host.strip('[]')}]" if ":" in host else host
    mine = meaning(host) in ("the container itself",) or host.lower() in _THIS_MACHINE
    where = f"http://{'localhost' if mine else written}:{port}"
    if port == _OLLAMA:
        at = "" if mine else f", with OLLAMA_HOST={where} for the worker"
        return f"If Ollama was meant, run it with --model ollama:NAME{at}: the gateway connects."
    if port in _MODEL_PORTS:
        return (
            "If a model service was meant, run it with --model openai:NAME, with "
            f"OPENAI_BASE_URL={where}/v1 for the worker, and let the agent use OPENAI_BASE_URL. "
            f"Else: {_OPEN_SERVICES}"
        )
    return _OPEN_SERVICES
