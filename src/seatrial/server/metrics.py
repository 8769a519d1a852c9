"""What the server tells Prometheus. One registry per application."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Scope

from seatrial.domain.phases import Outcome
from seatrial.domain.ports import Queue

CONTENT_TYPE = CONTENT_TYPE_LATEST

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServerMetrics:
    """Counts and measures of one application."""

    def __init__(self) -> None:
        """All at zero."""
        self._registry = CollectorRegistry()
        self._latency = Histogram(
            "seatrial_request_seconds",
            "Seconds until the answer began.",
            ("operation", "status"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._lag = self._lag_histogram(
            "seatrial_event_loop_lag_seconds", "Seconds that the event loop ran late."
        )
        self._busy = self._lag_histogram(
            "seatrial_event_loop_busy_seconds",
            "Seconds of the event loop's lag during which this process itself computed.",
        )
        self._queued = self._gauge("seatrial_queue_depth", "Tests that wait.")
        self._running = self._gauge("seatrial_tests_running", "Tests that workers hold.")
        self._slots = self._gauge("seatrial_slots", "Tests that live workers can run at one time.")
        self.streams = self._gauge("seatrial_event_streams", "Event streams that are open.")
        self._tests = Gauge(
            "seatrial_tests",
            "Completed tests that are kept, by outcome.",
            ("outcome",),
            registry=self._registry,
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Note an answer, under its operation's id: paths are without number."""
        operation = getattr(scope.get("endpoint"), "__name__", "none")
        self._latency.labels(operation, str(status)).observe(seconds)

    def lagged(self, seconds: float, busy: float) -> None:
        """Note how late the event loop woke up, and for how long of that this process computed."""
        self._lag.observe(seconds)
        self._busy.observe(busy)

    async def page(self, queue: Queue) -> bytes:
        """Everything in Prometheus' text format, the queue as it is now."""
        state = await queue.state()
        self._queued.set(state.queued)
        self._running.set(state.running)
        self._slots.set(state.slots)
        for outcome in Outcome:
            self._tests.labels(outcome.value).set(state.outcomes.get(outcome, 0))
        return generate_latest(self._registry)

    def _lag_histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, registry=self._registry, buckets=_BUCKETS)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)
