"""Environments: what a test's requirements need, resolved, built and kept in containers."""

from .environments import ENVIRONMENT_LABEL, BuiltEnvironments

__all__ = ["ENVIRONMENT_LABEL", "BuiltEnvironments"]
