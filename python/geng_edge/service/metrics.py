"""Figures of the service in the text format of Prometheus, which is small enough to write here."""

from __future__ import annotations

import bisect
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

#: Upper bounds of the histogram of sampling times, seconds.
BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters, a histogram, and gauges that are read when they are asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._events: Counter[str] = Counter()
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0
        self.gauges: Callable[[], Mapping[str, float]] = dict

    def answered(self, outcome: str) -> None:
        """An entry of the ledger got its answer: ``result``, or the code of a rejection."""
        with self._lock:
            self._answered[outcome] += 1

    def refused(self, road: str, code: str) -> None:
        """A request was refused before it reached the ledger."""
        with self._lock:
            self._refused[road, code] += 1

    def count(self, event: str) -> None:
        """Something else happened: ``delivered``, ``redelivered``, ``given_up``, ``notice_lost``."""
        with self._lock:
            self._events[event] += 1

    def sampled(self, seconds: float) -> None:
        """A series took so long from the ledger to its bytes."""
        with self._lock:
            self._buckets[bisect.bisect_left(BOUNDS, seconds)] += 1
            self._seconds += seconds

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        gauges = dict(self.gauges())
        with self._lock:
            return "".join(self._lines(gauges)).encode()

    def _lines(self, gauges: Mapping[str, float]) -> Iterator[str]:
        yield from _kind("geng_answered_total", "counter", "Answers by outcome.")
        for outcome, count in sorted(self._answered.items()):
            yield f'geng_answered_total{{outcome="{outcome}"}} {count}\n'
        yield from _kind("geng_refused_total", "counter", "Requests refused unstored.")
        for (road, code), count in sorted(self._refused.items()):
            yield f'geng_refused_total{{road="{road}",code="{code}"}} {count}\n'
        yield from _kind("geng_events_total", "counter", "Messages and what became of them.")
        for event, count in sorted(self._events.items()):
            yield f'geng_events_total{{event="{event}"}} {count}\n'
        name = "geng_sample_seconds"
        yield from _kind(name, "histogram", "From the ledger to the bytes of a series.")
        below = 0
        for bound, count in zip((*map(repr, BOUNDS), "+Inf"), self._buckets, strict=True):
            below += count
            yield f'{name}_bucket{{le="{bound}"}} {below}\n'
        yield f"{name}_sum {self._seconds!r}\n{name}_count {below}\n"
        for gauge, value in sorted(gauges.items()):
            yield from _kind(f"geng_{gauge}", "gauge", gauge.replace("_", " ").capitalize() + ".")
            yield f"geng_{gauge} {value!r}\n"


def _kind(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n"


def resident_bytes() -> float:
    """Memory of this process; NaN where the system does not say."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return float(line.split()[1]) * 1024
    except OSError:
        pass
    return float("nan")
