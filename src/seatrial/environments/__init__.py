"""Environments: what a test's requirements need, resolved, built and kept in containers."""

from .environments import ENVIRONMENT_LABEL, BuiltEnvironments
from .index import index_passwords

__all__ = ["ENVIRONMENT_LABEL", "BuiltEnvironments", "index_passwords"]
