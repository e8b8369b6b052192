"""One metric of an autoscaler: what is measured, how many Pods it asks for, what is told of it.

Models computeReplicasForMetric of pkg/controller/podautoscaler/horizontal.go. There is no custom or external metrics API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kit.embedded.controllers.autoscaler import calculating
from kit.embedded.controllers.autoscaler.calculating import MetricError, Proposal, Tolerance
from kit.embedded.core.controller import View
from kit.embedded.core.store import Obj
from kit.embedded.core.usage import Usage
from kit.embedded.parts import metering
from kit.kube.quantities import Quantity
from kit.kube.selectors import Selector

ABSENT = "unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
EMPTY = "no metrics returned from resource metrics API"
FIELDS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
KINDS = {
    "Resource": "resource",
    "ContainerResource": "container resource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


class Refusal(Exception):
    """A metric can't be had: the reason, what an event says, what the sum of all says."""

    def __init__(self, reason: str, told: str, summed: str) -> None:
        super().__init__(told)
        self.reason, self.told, self.summed = reason, told, summed


@dataclass(frozen=True)
class Target:
    """What is scaled, as it is now. `wall` and `now` are one moment."""

    namespace: str
    selector: Selector
    current: int
    tolerance: Tolerance
    now: int
    wall: int


def tolerances(spec: Obj) -> Tolerance:
    """Return how far from its target a metric may be: a tenth unless the behaviour says otherwise."""
    behaviour = spec.get("behavior") or {}
    down, up = (
        Fraction(Quantity.parse((behaviour.get(way) or {}).get("tolerance") or "100m").milli, 1000)
        for way in ("scaleDown", "scaleUp")
    )
    return Tolerance(down, up)


def measured(metric: Obj, target: Target, view: View, usage: Usage | None) -> tuple[int, str, Obj]:
    """Return the replicas one metric asks for, its name in sentences, and its status. Raises Refusal."""
    kind = metric["type"]
    source = metric[FIELDS[kind]]
    if kind not in ("Resource", "ContainerResource"):
        raise _unserved(kind, source)
    name, share = source["name"], source["target"].get("averageUtilization")
    try:
        found = _proposal(source, target, view, usage)
    except MetricError as error:
        told = f"failed to get {name} {'usage' if share is None else 'utilization'}: {error}"
        raise Refusal(
            f"FailedGet{kind}Metric", told, f"failed to get {name} {KINDS[kind]} metric value: {told}"
        ) from None
    now: dict[str, Any] = {"averageValue": str(Quantity.of_milli(found.average))}
    if found.percent is not None:
        now["averageUtilization"] = found.percent
    told = f"{name} {KINDS[kind]}" + ("" if share is None else " utilization (percentage of request)")
    known = {key: source[key] for key in ("name", "container") if key in source}
    return found.replicas, told, {"type": kind, FIELDS[kind]: {**known, "current": now}}


def _proposal(source: Obj, target: Target, view: View, usage: Usage | None) -> Proposal:
    name, container, share = source["name"], source.get("container") or "", source["target"].get("averageUtilization")
    used = _used(name, container, target, view, usage)
    members = [
        pod for pod in view.list("pods", target.namespace) if target.selector.matches(pod["metadata"].get("labels"))
    ]
    groups = calculating.grouped(members, used, name, target.now, target.wall)
    if share is None:
        wanted = Quantity.parse(source["target"]["averageValue"]).milli
        return calculating.by_amount(groups, used, target.current, wanted, target.tolerance)
    asked = calculating.requests(members, name, container)
    return calculating.by_share(groups, used, asked, target.current, int(share), target.tolerance)


def _used(name: str, container: str, target: Target, view: View, usage: Usage | None) -> Mapping[str, metering.Used]:
    why = ABSENT if usage is None else EMPTY
    found = metering.used(usage, view, name, target.namespace, target.selector, container) if usage else {}
    if not found:
        raise MetricError(f"unable to get metrics for resource {name}: {why}")
    return found


def _unserved(kind: str, source: Obj) -> Refusal:
    """Refuse what only an add-on's API could measure."""
    name, api = source["metric"]["name"], "external" if kind == "External" else "custom"
    why = f"no {api} metrics API ({api}.metrics.k8s.io) registered"
    told = f"unable to get metric {name}: unable to fetch metrics from {api} metrics API: {why}"
    return Refusal(f"FailedGet{kind}Metric", told, f"failed to get {KINDS[kind]} metric value: {told}")
