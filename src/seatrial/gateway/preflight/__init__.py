"""Whether a model can be used with its credential, asked before a container starts."""

from .preflight import Preflight

__all__ = ["Preflight"]
