"""The container's use over time: samples, peaks and what of it belongs to the child."""

from typing import Callable, Optional

from .cgroup import Sample, find_reader
from .processes import others
from .protocol import Metric


class Meter:
    """Reads the cgroup. CPU, OOM kills, limit hits and processes count from `begin` on."""

    def __init__(self, known: set[int], reader: Optional[Callable[[], Sample]] = None) -> None:
        self._read, self._known = reader or find_reader(), known
        self._base = self._last = Sample()
        self._memory_peak = self._processes_peak = 0

    def begin(self) -> None:
        """The present use is the baseline: what process 1 and the forwarder need themselves."""
        self._base = self._read()
        self.sample()

    def sample(self) -> Metric:
        """One reading, which also moves the peaks where the kernel keeps none."""
        self._last = self._read()
        peak = self._last.memory_peak_bytes or self._last.memory_bytes
        self._memory_peak = max(self._memory_peak, peak)
        processes = self._processes()
        self._processes_peak = max(self._processes_peak, processes)
        return Metric(self._last.memory_bytes, self._memory_peak, self.cpu_seconds, processes)

    def is_nearly_full(self) -> bool:
        """Whether nine tenths of the memory limit are in use now."""
        now = self._read()
        limit = now.memory_limit_bytes
        return limit is not None and now.memory_bytes >= 0.9 * limit

    def _processes(self) -> int:
        if self._last.processes is None or self._base.processes is None:
            return len(others(self._known))
        return max(0, self._last.processes - self._base.processes)

    @property
    def cpu_seconds(self) -> float:
        """CPU since the beginning, at the last sample."""
        return max(0.0, self._last.cpu_seconds - self._base.cpu_seconds)

    @property
    def memory_peak_bytes(self) -> int:
        """Highest memory that was seen, or that the kernel saw."""
        return self._memory_peak

    @property
    def memory_limit_bytes(self) -> Optional[int]:
        """The container's memory limit."""
        return self._last.memory_limit_bytes

    @property
    def processes_peak(self) -> int:
        """Most processes and threads at one time, without process 1 and the forwarder."""
        known, base = self._last.processes_peak, self._base.processes
        kernel = 0 if known is None or base is None else known - base
        return max(self._processes_peak, kernel)

    @property
    def oom_kills(self) -> int:
        """Processes that the kernel killed for memory."""
        return max(0, self._last.oom_kills - self._base.oom_kills)

    @property
    def process_limit_hits(self) -> int:
        """How often no further process could be made."""
        return max(0, self._last.process_limit_hits - self._base.process_limit_hits)
