"""How many Pods bring a measure to its target. Models pkg/controller/podautoscaler/replica_calculator.go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from kit.embedded.core.store import Obj
from kit.embedded.parts.metering import Used
from kit.kube import pods, times
from kit.kube.quantities import Quantity

INITIALISATION_MS, READINESS_DELAY_MS = 300_000, 30_000
UNREADY = "did not receive metrics for targeted pods (pods might be unready)"
UNMATCHED = "no metrics returned matched known pods"


class MetricError(Exception):
    """A measure can't be had; the message is upstream's."""


class Tolerance(NamedTuple):
    """How far down and up of the target nothing is done."""

    down: Fraction
    up: Fraction

    def holds(self, ratio: Fraction) -> bool:
        """Say whether a ratio is near enough to 1."""
        return 1 - self.down <= ratio <= 1 + self.up


class Proposal(NamedTuple):
    """Replicas wanted, and what was measured: use in % of the requests (None for plain amounts) and its average in thousandths."""

    replicas: int
    percent: int | None
    average: int


@dataclass(frozen=True)
class Groups:
    """Pods by what their measures are worth. Models groupPods."""

    ready: int
    unready: Sequence[str]
    missing: Sequence[str]
    ignored: Sequence[str]


def grouped(members: Sequence[Obj], used: Mapping[str, Used], resource: str, now: int, wall: int) -> Groups:
    """Sort Pods by whether they count; `now` is cluster time, `wall` the same moment as clients see it."""
    ready, unready, missing, ignored = 0, [], [], []
    for pod in members:
        name = pod["metadata"]["name"]
        phase = (pod.get("status") or {}).get("phase")
        if "deletionTimestamp" in pod["metadata"] or phase == "Failed":
            ignored.append(name)
        elif phase == "Pending":
            unready.append(name)
        elif name not in used:
            missing.append(name)
        elif resource == "cpu" and _starting(pod, used[name], wall - now, wall):
            unready.append(name)
        else:
            ready += 1
    return Groups(ready, unready, missing, ignored)


def _starting(pod: Obj, used: Used, epoch: int, wall: int) -> bool:
    """Say whether a Pod's CPU is that of its start."""
    ready, start = pods.condition(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if ready is None or not start:
        return True
    since, began = times.parse(ready["lastTransitionTime"]), times.parse(start)
    if began + INITIALISATION_MS > wall:
        return ready["status"] == "False" or used.at + epoch < since + used.window
    return ready["status"] == "False" and began + READINESS_DELAY_MS > since


def requests(members: Sequence[Obj], resource: str, container: str) -> Mapping[str, int]:
    """Return what each Pod asks for in thousandths; a container that asks for nothing is an error."""
    out = {}
    for pod in members:
        total = 0
        for one in pod["spec"]["containers"]:
            if container and one["name"] != container:
                continue
            asked = ((one.get("resources") or {}).get("requests") or {}).get(resource)
            if asked is None:
                raise MetricError(
                    f"missing request for {resource} in container {one['name']} of Pod {pod['metadata']['name']}"
                )
            total += Quantity.parse(asked).milli
        out[pod["metadata"]["name"]] = total
    return out


def by_share(
    groups: Groups, used: Mapping[str, Used], asked: Mapping[str, int], current: int, target: int, tolerance: Tolerance
) -> Proposal:
    """Return how many Pods use `target` % of what they ask for. Models GetResourceReplicas."""
    amounts = _counted(groups, used)
    ratio, percent = _share(amounts, asked, target)
    average = sum(amounts.values()) // len(amounts)
    if _is_plain(groups, ratio):
        replicas = current if tolerance.holds(ratio) else ceil(ratio * groups.ready)
        return Proposal(replicas, percent, average)
    fallback = max(100, target)
    filled = _filled(groups, amounts, ratio, {name: asked[name] * fallback // 100 for name in groups.missing})
    again, _ = _share(filled, asked, target)
    return Proposal(_agreed(ratio, again, current, len(filled), tolerance), percent, average)


def by_amount(groups: Groups, used: Mapping[str, Used], current: int, target: int, tolerance: Tolerance) -> Proposal:
    """Return how many Pods use `target` thousandths each. Models calcPlainMetricReplicas."""
    amounts = _counted(groups, used)
    average = sum(amounts.values()) // len(amounts)
    ratio = Fraction(average, target)
    if _is_plain(groups, ratio):
        return Proposal(current if tolerance.holds(ratio) else ceil(ratio * groups.ready), None, average)
    filled = _filled(groups, amounts, ratio, dict.fromkeys(groups.missing, target))
    again = Fraction(sum(filled.values()) // len(filled), target)
    return Proposal(_agreed(ratio, again, current, len(filled), tolerance), None, average)


def _counted(groups: Groups, used: Mapping[str, Used]) -> dict[str, int]:
    out = {name: one.milli for name, one in used.items() if name not in {*groups.unready, *groups.ignored}}
    if not out:
        raise MetricError(UNREADY)
    return out


def _share(amounts: Mapping[str, int], asked: Mapping[str, int], target: int) -> tuple[Fraction, int]:
    total = sum(asked[name] for name in amounts if name in asked)
    if not total:
        raise MetricError(UNMATCHED)
    percent = sum(amount for name, amount in amounts.items() if name in asked) * 100 // total
    return Fraction(percent, target), percent


def _is_plain(groups: Groups, ratio: Fraction) -> bool:
    return not groups.missing and not (groups.unready and ratio > 1)


def _filled(
    groups: Groups, amounts: Mapping[str, int], ratio: Fraction, fallback: Mapping[str, int]
) -> Mapping[str, int]:
    """Take what is not known as what makes the change smaller."""
    filled = dict(amounts)
    if groups.missing and ratio != 1:
        filled |= {name: fallback[name] if ratio < 1 else 0 for name in groups.missing}
    if groups.unready and ratio > 1:
        filled |= dict.fromkeys(groups.unready, 0)
    return filled


def _agreed(ratio: Fraction, again: Fraction, current: int, count: int, tolerance: Tolerance) -> int:
    """Return the replicas of the second look, unless it turns the direction."""
    if tolerance.holds(again) or (ratio < 1 < again) or (ratio > 1 > again):
        return current
    wanted = ceil(again * count)
    turned = (again < 1 and wanted > current) or (again > 1 and wanted < current)
    return current if turned else wanted
