"""The worker: takes tests from the queue and drives each to exactly one end."""

from .worker import Worker, WorkerDeps

__all__ = ["Worker", "WorkerDeps"]
