"""/metrics as text: the machine's numbers, what the edge has measured, and the process. `prometheus_client` is imported when asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from kit.embedded.api.counting import LABELS
from kit.embedded.core.exposition import COUNTER, GAUGE, Family, Sample
from kit.runtime.measuring import Histogram, Labels, Meter

if TYPE_CHECKING:
    from prometheus_client import Metric

_DURATION = (
    "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope "
    "and component."
)
_SLI = (
    "[ALPHA] Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for "
    "each verb, group, version, resource, subresource, scope and component."
)
_SIZE = "[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component."
_INFLIGHT = "[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second."
_STORAGE = "[STABLE] Size of the storage database file physically allocated in bytes."


class Text:
    """The `Exposition` of a process. `stored` returns the size of the journal's file in bytes."""

    def __init__(self, meter: Meter, stored: Callable[[], int], started: float | None = None) -> None:
        self._meter = meter
        self._stored = stored
        self._started = int(time.time() if started is None else started)

    @property
    def started(self) -> int:
        """When the process began: seconds since 1970."""
        return self._started

    def reset(self) -> None:
        """Forget the durations."""
        self._meter.reset()

    def text(self, families: Iterable[Family], *, measured: bool) -> bytes:
        """Return everything in Prometheus' text format 0.0.4, by name."""
        from prometheus_client import CollectorRegistry, generate_latest

        found = [_metric(family) for family in families]
        found += list(self._measured()) if measured else []
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collected(sorted(found, key=lambda metric: metric.name)))
        return generate_latest(registry)

    def _measured(self) -> Iterator[Metric]:
        from prometheus_client import ProcessCollector

        meter = self._meter
        yield _histogram("apiserver_request_duration_seconds", _DURATION, LABELS, meter.durations)
        yield _histogram("apiserver_request_sli_duration_seconds", _SLI, LABELS[:7], _without_dry(meter.durations))
        yield _histogram("apiserver_response_sizes", _SIZE, LABELS[:7], meter.sizes)
        busy = [Sample((kind,), number) for kind, number in meter.in_hand().items()]
        yield _metric(Family("apiserver_current_inflight_requests", _INFLIGHT, GAUGE, ("request_kind",), busy))
        stored = [Sample(("sqlite-0",), self._stored())]
        yield _metric(Family("apiserver_storage_size_bytes", _STORAGE, GAUGE, ("storage_cluster_id",), stored))
        yield from ProcessCollector(registry=None).collect()


class _Collected:
    """What a registry is given."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _metric(family: Family) -> Metric:
    from prometheus_client import Metric

    metric = Metric(
        family.name.removesuffix("_total") if family.type == COUNTER else family.name, family.help, family.type
    )
    for sample in family.samples:
        metric.add_sample(family.name, dict(zip(family.labels, sample.labels, strict=True)), sample.value)
    return metric


def _histogram(name: str, help: str, labels: tuple[str, ...], found: Histogram) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    metric = HistogramMetricFamily(name, help, labels=labels)
    for key in sorted(found.rows):
        metric.add_metric(key, found.cumulative(key), found.rows[key][-1])
    return metric


def _without_dry(durations: Histogram) -> Histogram:
    """Return durations whether or not a request was a trial, in the buckets of the other name (all but the first two)."""
    out = Histogram(durations.buckets[2:])
    for labels, row in durations.rows.items():
        key: Labels = labels[:7]
        merged = out.rows.setdefault(key, [0] * (len(out.buckets) + 2))
        for index, value in enumerate([sum(row[:3]), *row[3:]]):
            merged[index] += value
    return out
