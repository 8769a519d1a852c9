"""Makes deployment packages of succeeded tests."""

from .choosing import choices, default_target, refusal
from .make import make_package
from .tested import Tested

__all__ = ["Tested", "choices", "default_target", "make_package", "refusal"]
