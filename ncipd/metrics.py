"""What ncipd counts and measures, in one list, for `GET /metrics` in the Prometheus text format."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Generic, Literal, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from ncipd import __version__

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MOST_SERIES = 1_000  # of one metric: a label made of what a stranger sends must not fill memory
OTHER = "other"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_MESSAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Measure:
    """One metric: its name, what kind it is, its labels, what it tells, and a histogram's bounds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    tells: str
    bounds: tuple[float, ...] = ()


MEASURES: Final = (
    Measure("ncipd_messages_total", "counter", ("service", "verdict"), "Messages answered: ok, or the problem type."),
    Measure("ncipd_message_seconds", "histogram", ("service",), "From the last byte in to the answer.", _SECONDS),
    Measure("ncipd_repairs_total", "counter", ("repair",), "Deviations from the schema that were repaired, by name."),
    Measure("ncipd_resends_total", "counter", ("service",), "Messages that got the stored answer of an earlier one."),
    Measure("ncipd_sent_total", "counter", ("service", "outcome"), "Own messages, by what became of each attempt."),
    Measure("ncipd_outbox_messages", "gauge", ("state",), "Own messages in the outbox, by state."),
    Measure("ncipd_notices_total", "counter", ("outcome",), "Notices to users, by what became of each attempt."),
    Measure("ncipd_commit_seconds", "histogram", (), "Making one batch of messages durable.", _SECONDS),
    Measure("ncipd_batch_messages", "histogram", (), "Messages made durable by one commit.", _MESSAGES),
    Measure("ncipd_http_refused_total", "counter", ("status",), "Requests refused before NCIP: 405, 408, 413, 503 …"),
    Measure("ncipd_tcp_open_connections", "gauge", ("door",), "Connections open at each TCP door."),
    Measure("ncipd_tcp_connections_total", "counter", ("door", "end"), "Connections that ended, by why they did."),
    Measure("ncipd_tcp_messages_total", "counter", ("door", "how"), "Messages: in turn, pipelined, or over HTTP."),
    Measure("ncipd_build_info", "gauge", ("version",), "Always 1; its label is the version that runs."),
)

M = TypeVar("M", bound=MetricWrapperBase)
Depths = Callable[[], Mapping[str, int]]


class Metrics:
    """The counters of one ncipd. Each has its own registry, so several can live in one process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line per series, which nobody here reads
        self._registry = CollectorRegistry()
        self._messages = _Messages()
        self._registry.register(self._messages)
        self._repairs = self._counter("ncipd_repairs_total")
        self._resends = self._counter("ncipd_resends_total")
        self._sent = self._counter("ncipd_sent_total")
        self._notices = self._counter("ncipd_notices_total")
        self._refused = self._counter("ncipd_http_refused_total")
        self._tcp_open = self._gauge("ncipd_tcp_open_connections")
        self._tcp_ended = self._counter("ncipd_tcp_connections_total")
        self._tcp_messages = self._counter("ncipd_tcp_messages_total")
        self._commit_seconds = self._histogram("ncipd_commit_seconds")
        self._batch_messages = self._histogram("ncipd_batch_messages")
        self._outbox = _Outbox()
        self._registry.register(self._outbox)
        self._gauge("ncipd_build_info").of(__version__).set(1)
        ProcessCollector(registry=self._registry)

    def message(self, service: str, verdict: str, seconds: float) -> None:
        """Count one answered message. `verdict`: "ok", or the type of its first problem."""
        self._messages.add(service, verdict, seconds)

    def repaired(self, repair: str) -> None:
        """Count one named repair."""
        self._repairs.of(repair).inc()

    def resent(self, service: str) -> None:
        """Count one message that was answered from the store."""
        self._resends.of(service).inc()

    def sent(self, service: str, outcome: str) -> None:
        """Count one attempt to deliver a message of our own."""
        self._sent.of(service, outcome).inc()

    def noticed(self, outcome: str) -> None:
        """Count one attempt to send a notice to a user."""
        self._notices.of(outcome).inc()

    def committed(self, seconds: float, messages: int) -> None:
        """Measure one commit and the batch it made durable."""
        self._commit_seconds.of().observe(seconds)
        self._batch_messages.of().observe(messages)

    def refused(self, status: int) -> None:
        """Count one request that got no NCIP answer."""
        self._refused.of(str(status)).inc()

    def tcp_opened(self, door: str) -> None:
        """Count one connection that a TCP door has taken."""
        self._tcp_open.of(door).inc()

    def tcp_ended(self, door: str, end: str) -> None:
        """Count one connection that was taken and has ended, by why it did."""
        self._tcp_open.of(door).dec()
        self._tcp_ended.of(door, end).inc()

    def tcp_turned_away(self, door: str) -> None:
        """Count one connection that was not taken, because too many were open."""
        self._tcp_ended.of(door, "turned away").inc()

    def tcp_message(self, door: str, how: str) -> None:
        """Count one message. `how`: "in turn", "pipelined" (sent before the answer to the one before it), "http"."""
        self._tcp_messages.of(door, how).inc()

    def watch_outbox(self, depths: Depths) -> None:
        """Ask `depths` (state → messages) whenever somebody looks."""
        self._outbox.depths = depths

    def render(self) -> bytes:
        """Everything, in the Prometheus text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str) -> _Series[Counter]:
        measure = _measure(name)
        return _Series(Counter(measure.name, measure.tells, measure.labels, registry=self._registry))

    def _gauge(self, name: str) -> _Series[Gauge]:
        measure = _measure(name)
        return _Series(Gauge(measure.name, measure.tells, measure.labels, registry=self._registry))

    def _histogram(self, name: str) -> _Series[Histogram]:
        measure = _measure(name)
        return _Series(
            Histogram(measure.name, measure.tells, measure.labels, buckets=measure.bounds, registry=self._registry)
        )


class _Series(Generic[M]):
    """One metric's series by label values; finding one costs a look into a dictionary."""

    def __init__(self, metric: M) -> None:
        self._metric = metric
        self._known: dict[tuple[str, ...], M] = {}

    def of(self, *labels: str) -> M:
        """The series of these label values, or the one for all others once there are too many."""
        found = self._known.get(labels)
        if found is None:
            if len(self._known) >= MOST_SERIES:
                return self._metric.labels(*[OTHER] * len(labels))
            found = self._known[labels] = self._metric.labels(*labels) if labels else self._metric
        return found


class _Messages(Collector):
    """How many messages there were, and how long they took: counted for every message, hence by adding to a list."""

    def __init__(self) -> None:
        self._verdicts: dict[tuple[str, str], int] = {}
        self._times: dict[str, list[float]] = {}  # by service: messages between each two bounds, and all seconds

    def add(self, service: str, verdict: str, seconds: float) -> None:
        """Count one message."""
        key = (service, verdict)
        if key not in self._verdicts:
            key = self._new(key)
        self._verdicts[key] += 1
        times = self._times[key[0]]
        times[bisect_left(_SECONDS, seconds)] += 1
        times[-1] += seconds

    def _new(self, key: tuple[str, str]) -> tuple[str, str]:
        if len(self._verdicts) >= MOST_SERIES:
            key = (OTHER, OTHER)
        self._verdicts.setdefault(key, 0)
        self._times.setdefault(key[0], [0] * (len(_SECONDS) + 1) + [0.0])
        return key

    def collect(self) -> Iterable[Metric]:
        measure = _measure("ncipd_messages_total")
        counted = CounterMetricFamily(measure.name, measure.tells, labels=measure.labels)
        for labels, number in self._verdicts.items():
            counted.add_metric(labels, number)
        measure = _measure("ncipd_message_seconds")
        timed = HistogramMetricFamily(measure.name, measure.tells, labels=measure.labels)
        bounds = [*map(str, _SECONDS), "+Inf"]
        for service, times in self._times.items():
            timed.add_metric([service], [*zip(bounds, accumulate(times[:-1]), strict=True)], times[-1])
        return counted, timed


class _Outbox(Collector):
    """The outbox's depth, counted when somebody looks rather than kept."""

    def __init__(self) -> None:
        self.depths: Depths = dict

    def collect(self) -> Iterable[Metric]:
        measure = _measure("ncipd_outbox_messages")
        family = GaugeMetricFamily(measure.name, measure.tells, labels=measure.labels)
        for state, count in self.depths().items():
            family.add_metric([state], count)
        yield family


def _measure(name: str) -> Measure:
    return next(measure for measure in MEASURES if measure.name == name)
