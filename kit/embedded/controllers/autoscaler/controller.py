"""Scales workloads by what their Pods use. Models pkg/controller/podautoscaler/horizontal.go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kit.embedded.api.scaling import scale_of
from kit.embedded.controllers.autoscaler import limits, measuring
from kit.embedded.controllers.autoscaler.limits import Change, Memory
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import After, Emit, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.core.usage import Usage
from kit.embedded.parts import writing
from kit.errors import Status
from kit.kube import selectors, status
from kit.kube.kinds import Registry, Resource

SCALERS = "horizontalpodautoscalers.autoscaling"
PERIOD_MS = 15_000
GOT = ("SucceededGetScale", "the HPA controller was able to get the target's current scale")
DISABLED = ("ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
NOT_ZERO = ("NotScaledToZero", "the HPA controller did not scale the workload to zero")
ZERO = ("ScaledToZero", "the HPA controller scaled the workload to zero")
ABOVE, BELOW = "Current number of replicas above Spec.MaxReplicas", "Current number of replicas below Spec.MinReplicas"
UNSELECTED = ("InvalidSelector", "the HPA target's scale is missing a selector")


class Verdict(NamedTuple):
    """How many replicas there shall be, why, and what the metrics said; None: that can't be known now."""

    replicas: int | None
    reason: str
    metrics: Sequence[Obj]


class Autoscaler:
    """The horizontal Pod autoscaler. `usage` is None where no metrics API is served."""

    name = "horizontal-pod-autoscaler-controller"
    user = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
    manager = "kube-controller-manager"
    component = "horizontal-pod-autoscaler"

    def __init__(self, clock: Clock, registry: Registry, usage: Usage | None) -> None:
        self._clock, self._registry, self._usage = clock, registry, usage
        self._memories: dict[str, Memory] = {}
        self._due: dict[Key, int] = {}
        self.watches: dict[str, Mapper] = {SCALERS: self._changed}

    def _changed(self, event: Event, view: View) -> Iterable[Key]:
        """Map an autoscaler to itself when it comes or is told something else; forget one that goes."""
        if event.type == "DELETED":
            self._memories.pop(event.obj["metadata"]["uid"], None)
        elif event.old is None or event.old.obj["spec"] != event.obj["spec"]:
            yield event.key

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Look at one autoscaler's target, and scale it."""
        scaler = view.at(key)
        if scaler is None:
            return
        yield After(PERIOD_MS, housekeeping=True)
        try:
            resource, scale = self._target(scaler, view)
        except Status as error:
            yield Emit(scaler, "Warning", "FailedGetScale", error.message)
            words = f"the HPA controller was unable to get the target's current scale: {error.message}"
            told = self._told(scaler, "AbleToScale", "False", ("FailedGetScale", words))
            yield from writing.status(scaler, {"desiredReplicas": 0, "currentMetrics": None, **told["status"]})
            return
        scaler = self._told(scaler, "AbleToScale", "True", GOT)
        yield from self._scale(scaler, scale, resource, view, now)

    def _target(self, scaler: Obj, view: View) -> tuple[Resource, Obj]:
        """Return the kind and the Scale of what is scaled; what can't be had is raised."""
        ref, space = scaler["spec"]["scaleTargetRef"], scaler["metadata"]["namespace"]
        resource = self._registry.by_kind(ref.get("apiVersion") or "v1", ref["kind"])
        if resource is None or resource.subresource("scale") is None:
            group = (ref.get("apiVersion") or "").rpartition("/")[0]
            raise Status("NotFound", f'no matches for kind "{ref["kind"]}" in group "{group}"')
        found = view.get(resource.group_resource, space, ref["name"])
        if found is None:
            raise status.not_found(resource, ref["name"])
        return resource, scale_of(found, resource)

    def _scale(self, scaler: Obj, scale: Obj, resource: Resource, view: View, now: int) -> Effects:
        current, spec = scale["spec"].get("replicas", 0), scaler["spec"]
        memory = self._memories.setdefault(scaler["metadata"]["uid"], Memory())
        low, high = spec.get("minReplicas", 1), spec["maxReplicas"]
        if current == 0 and low != 0:
            scaler, verdict = self._told(scaler, "ScalingActive", "False", DISABLED), Verdict(0, "", ())
        elif current > high:
            verdict = Verdict(high, ABOVE, ())
        elif current < low:
            verdict = Verdict(low, BELOW, ())
        else:
            scaler, verdict = yield from self._measured(scaler, scale, memory, view, now)
        if verdict.replicas is None:
            yield from self._write(
                scaler, current, (scaler.get("status") or {}).get("desiredReplicas", 0), verdict.metrics
            )
            return
        moved = verdict.replicas != current and (current != 0 or low == 0)
        if moved:
            scaler, done = yield from self._rescale(scaler, resource, verdict)
            if not done:
                yield from self._write(scaler, current, current, verdict.metrics)
                return
            memory.changes.append(Change(now, verdict.replicas - current))
        yield from self._write(scaler, current, verdict.replicas, verdict.metrics, moved=moved)

    def _measured(self, scaler: Obj, scale: Obj, memory: Memory, view: View, now: int) -> Any:
        """Return the autoscaler with its new conditions, and what all metrics together ask for."""
        spec, current, text = scaler["spec"], scale["spec"].get("replicas", 0), scale["status"].get("selector") or ""
        if not text:
            yield Emit(scaler, "Warning", "SelectorRequired", "selector is required")
            yield Emit(scaler, "Warning", "FailedComputeMetricsReplicas", "selector is required")
            return self._told(scaler, "ScalingActive", "False", UNSELECTED), Verdict(None, "", ())
        target = measuring.Target(
            scaler["metadata"]["namespace"], selectors.parse(text), current, measuring.tolerances(spec), now, self._clock.wall()
        )  # fmt: skip
        wanted, name, statuses, refusals = None, "", [], []
        for metric in spec.get("metrics") or ():
            try:
                replicas, named, found = measuring.measured(metric, target, view, self._usage)
            except measuring.Refusal as refusal:
                yield Emit(scaler, "Warning", refusal.reason, refusal.told)
                refusals.append(refusal)
                statuses.append({"type": ""})
                continue
            statuses.append(found)
            if wanted is None or replicas > wanted:
                wanted, name = replicas, named
        if wanted is None or (refusals and wanted < current):
            return (yield from self._refused(scaler, refusals, statuses))
        told = f"the HPA was able to successfully calculate a replica count from {name}"
        scaler = self._told(scaler, "ScalingActive", "True", ("ValidMetricFound", told))
        reason = f"{name} above target" if wanted > current else "All metrics below target"
        scaler, wanted = self._limited(scaler, memory, current, wanted, now)
        return scaler, Verdict(wanted, reason, statuses)

    def _refused(self, scaler: Obj, refusals: Sequence[measuring.Refusal], statuses: Sequence[Obj]) -> Any:
        first = refusals[0]
        words = f"invalid metrics ({len(refusals)} invalid out of {len(statuses)}), first error is: {first.summed}"
        yield Emit(scaler, "Warning", "FailedComputeMetricsReplicas", words)
        told = f"the HPA was unable to compute the replica count: {first.told}"
        return self._told(scaler, "ScalingActive", "False", (first.reason, told)), Verdict(None, "", statuses)

    def _limited(self, scaler: Obj, memory: Memory, current: int, wanted: int, now: int) -> tuple[Obj, int]:
        calm, told = limits.stabilised(scaler["spec"], memory, current, wanted, now)
        scaler = self._told(scaler, "AbleToScale", "True", told)
        out, told = limits.limited(scaler["spec"], memory, current, calm, now)
        return self._told(scaler, "ScalingLimited", "False" if out == calm else "True", told), out

    def _rescale(self, scaler: Obj, resource: Resource, verdict: Verdict) -> Any:
        """Write the new size; return the autoscaler with its conditions and whether it went."""
        key = Key(resource.group_resource, scaler["metadata"]["namespace"], scaler["spec"]["scaleTargetRef"]["name"])
        patch: Any = verdict.replicas
        custom = resource.custom
        for name in reversed(custom.scale.replicas if custom and custom.scale else ("spec", "replicas")):
            patch = {name: patch}
        size = f"New size: {verdict.replicas}; reason: {verdict.reason}"
        answer = yield Patch(key, patch, "merge", "scale")
        if isinstance(answer, Status):
            yield Emit(scaler, "Warning", "FailedRescale", f"{size}; error: {answer.message}")
            words = f"the HPA controller was unable to update the target scale: {answer.message}"
            return self._told(scaler, "AbleToScale", "False", ("FailedUpdateScale", words)), False
        yield Emit(scaler, "Normal", "SuccessfulRescale", size)
        words = f"the HPA controller was able to update the target scale to {verdict.replicas}"
        scaler = self._told(scaler, "AbleToScale", "True", ("SucceededRescale", words))
        none = verdict.replicas == 0
        return self._told(scaler, "ScaledToZero", "True" if none else "False", ZERO if none else NOT_ZERO), True

    def _told(self, scaler: Obj, type: str, truth: str, told: tuple[str, str]) -> Obj:
        have = scaler.get("status") or {}
        made = limits.conditions(have.get("conditions") or (), type, truth, told, self._clock.text())
        return {**scaler, "status": {**have, "conditions": made}}

    def _write(self, scaler: Obj, current: int, wanted: int, metrics: Sequence[Obj], *, moved: bool = False) -> Effects:
        have = scaler.get("status") or {}
        out = {
            **have, "observedGeneration": scaler["metadata"].get("generation", 1), "currentReplicas": current,
            "desiredReplicas": wanted, "currentMetrics": list(metrics) or None,
        }  # fmt: skip
        if moved:
            out["lastScaleTime"] = self._clock.text()
        yield from writing.status({**scaler, "status": None}, out)
