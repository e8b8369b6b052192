"""What an object uses of a ResourceQuota, and whether a quota is about it: shared by admission and the quota controller.

Models pkg/quota/v1/evaluator/core (pods.go, services.go, persistent_volume_claims.go) and k8s.io/apiserver/pkg/quota/v1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kit.kube import resources
from kit.kube.pods import is_terminal
from kit.kube.qos import BEST_EFFORT, qos_class
from kit.kube.quantities import Quantity
from kit.kube.resources import Amounts

Obj = Mapping[str, Any]
ONE = Quantity.of(1)
CLASS_SUFFIX = ".storageclass.storage.k8s.io/"
NAMED_COUNTS = (
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
)
COMPUTE = ("cpu", "memory", "ephemeral-storage")
MUST_SAY = ("cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory")


# --- usage ---


def usage(resource: str, obj: Obj) -> Amounts:
    """Return what an object uses; `resource` is its group resource."""
    out = {f"count/{resource}": ONE}
    if resource in NAMED_COUNTS:
        out[resource] = ONE
    special = SPECIAL.get(resource)
    return out | special(obj) if special else out


def _pod(pod: Obj) -> Amounts:
    if is_terminal(pod):
        return {}
    return {"pods": ONE, **_compute(resources.requests(pod), resources.limits(pod))}


def _compute(requests: Amounts, limits: Amounts) -> Amounts:
    out: Amounts = {}
    for name, amount in requests.items():
        plain = name in COMPUTE or name.startswith("hugepages-")
        out[f"requests.{name}"] = amount
        if plain:
            out[name] = amount
    return out | {f"limits.{name}": limits[name] for name in COMPUTE if name in limits}


def _service(service: Obj) -> Amounts:
    spec = service.get("spec") or {}
    kind, ports = spec.get("type"), len(spec.get("ports") or ())
    balanced = kind == "LoadBalancer"
    opens = kind == "NodePort" or (balanced and spec.get("allocateLoadBalancerNodePorts") is not False)
    return {
        "services.nodeports": Quantity.of(ports if opens else 0),
        "services.loadbalancers": Quantity.of(int(balanced)),
    }


def _claim(claim: Obj) -> Amounts:
    spec = claim.get("spec") or {}
    annotations = claim["metadata"].get("annotations") or {}
    kind = annotations.get("volume.beta.kubernetes.io/storage-class") or spec.get("storageClassName") or ""
    size = Quantity.parse(((spec.get("resources") or {}).get("requests") or {}).get("storage"))
    out = {"requests.storage": size}
    if kind:
        out |= {f"{kind}{CLASS_SUFFIX}persistentvolumeclaims": ONE, f"{kind}{CLASS_SUFFIX}requests.storage": size}
    return out


SPECIAL: Mapping[str, Callable[[Obj], Amounts]] = {"pods": _pod, "services": _service, "persistentvolumeclaims": _claim}


# --- which objects a name in `hard` is about ---


def counted(name: str) -> str:
    """Return the group resource whose objects a quota's resource counts; Pods for all that containers use."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    if name in NAMED_COUNTS:
        return name
    if name.startswith("services."):
        return "services"
    if name == "requests.storage" or CLASS_SUFFIX in name:
        return "persistentvolumeclaims"
    return "pods"


def matches(quota: Obj, resource: str, obj: Obj) -> bool:
    """Return whether a quota's scopes are about an object."""
    spec = quota.get("spec") or {}
    terms = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    terms += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return not terms or (resource in SCOPED and all(SCOPED[resource](term, obj) for term in terms))


def _pod_scope(term: Obj, pod: Obj) -> bool:
    spec, scope = pod.get("spec") or {}, term["scopeName"]
    if scope == "PriorityClass":
        return _selected(term, spec.get("priorityClassName") or "")
    found = SCOPES.get(scope)
    return found(pod) if found else False


def _selected(term: Obj, value: str) -> bool:
    """Return whether a selector's requirement holds for a name; "" counts as none."""
    values = term.get("values") or ()
    match term.get("operator"):
        case "Exists":
            return bool(value)
        case "DoesNotExist":
            return not value
        case "In":
            return value in values
        case "NotIn":
            return value not in values
    return False


def _ends(pod: Obj) -> bool:
    return pod["spec"].get("activeDeadlineSeconds") is not None


def _across(pod: Obj) -> bool:
    """Return whether a Pod's affinity looks at other namespaces."""
    affinity = pod["spec"].get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        listed = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        listed += [one["podAffinityTerm"] for one in rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in listed):
            return True
    return False


SCOPES: Mapping[str, Callable[[Obj], bool]] = {
    "Terminating": _ends,
    "NotTerminating": lambda pod: not _ends(pod),
    "BestEffort": lambda pod: qos_class(pod) == BEST_EFFORT,
    "NotBestEffort": lambda pod: qos_class(pod) != BEST_EFFORT,
    "CrossNamespacePodAffinity": _across,
}
SCOPED: Mapping[str, Callable[[Obj, Obj], bool]] = {
    "pods": _pod_scope,
    "persistentvolumeclaims": lambda term, claim: (
        term["scopeName"] == "VolumeAttributesClass"
        and _selected(term, (claim.get("spec") or {}).get("volumeAttributesClassName") or "")
    ),
}


def unsaid(pod: Obj, hard: Iterable[str]) -> dict[str, list[str]]:
    """Return which containers do not say what a quota limits: their names by resource."""
    needed = [name for name in MUST_SAY if name in hard]
    spec = pod["spec"]
    own = spec.get("resources") or {}
    whole = _compute(resources.amounts(own.get("requests")), resources.amounts(own.get("limits")))
    out: dict[str, list[str]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        given = container.get("resources") or {}
        said = _compute(resources.amounts(given.get("requests")), resources.amounts(given.get("limits")))
        for name in needed:
            if name not in said and name not in whole:
                out.setdefault(name, []).append(container["name"])
    return {name: sorted(out[name]) for name in sorted(out)}


# --- sums ---


def used(quota: Obj, objects: Callable[[str], Iterable[Obj]]) -> dict[str, str]:
    """Return a quota's usage; `objects` lists the objects of a group resource in its namespace."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    total: Amounts = {name: Quantity() for name in hard}
    for resource in sorted({counted(name) for name in hard}):
        for obj in objects(resource):
            if matches(quota, resource, obj):
                resources.add(total, {name: v for name, v in usage(resource, obj).items() if name in hard})
    return {name: str(total[name]) for name in sorted(hard)}


def shown(listed: Mapping[str, Any]) -> str:
    """Return amounts as messages show them."""
    return ",".join(f"{name}={listed[name]}" for name in sorted(listed))
