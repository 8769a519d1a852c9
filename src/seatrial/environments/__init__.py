"""Environments: what a test's requirements need, resolved, built and kept in containers."""

from .environments import ENVIRONMENT_LABEL, BuiltEnvironments
from .index import index_passwords
from .verification import PackageInstall, PackageInstaller

__all__ = [
    "ENVIRONMENT_LABEL",
    "BuiltEnvironments",
    "PackageInstall",
    "PackageInstaller",
    "index_passwords",
]
