"""LimitRanger: gives containers the resources their namespace's LimitRanges name, and refuses what is beyond them.

Models plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kit.embedded.api.attributes import Attributes, called
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.kube import resources, status
from kit.kube.quantities import Quantity
from kit.kube.resources import Amounts

ANNOTATION = "kubernetes.io/limit-ranger"
FIELDS = (("containers", "container"), ("initContainers", "init container"))


def defaults(context: Context, at: Attributes, pod: Obj, old: Obj | None) -> Obj:
    """Give a new Pod's containers the requests and limits they do not name."""
    for one in context.store.list("limitranges", at.namespace):
        requests, limits = _default(one, "defaultRequest"), _default(one, "default")
        if requests or limits:
            pod = _filled(pod, requests, limits)
    return pod


def _default(given: Obj, field: str) -> dict[str, Any]:
    items = (given.get("spec") or {}).get("limits") or ()
    return {
        key: value for item in items if item["type"] == "Container" for key, value in (item.get(field) or {}).items()
    }


def _filled(pod: Obj, requests: Mapping[str, Any], limits: Mapping[str, Any]) -> Obj:
    said: list[str] = []
    spec = dict(pod["spec"])
    for field, what in FIELDS:
        if spec.get(field):
            spec[field] = [_container(one, what, requests, limits, said) for one in spec[field]]
    if not said:
        return pod
    meta = pod["metadata"]
    annotations = {**(meta.get("annotations") or {}), ANNOTATION: f"LimitRanger plugin set: {'; '.join(said)}"}
    return {**pod, "metadata": {**meta, "annotations": annotations}, "spec": spec}


def _container(
    container: Obj, what: str, requests: Mapping[str, Any], limits: Mapping[str, Any], said: list[str]
) -> Obj:
    """Return a container with what it lacks; what was set is added to `said`."""
    given = dict(container.get("resources") or {})
    for field, word, wanted in (("requests", "request", requests), ("limits", "limit", limits)):
        have = given.get(field) or {}
        missing = sorted(set(wanted) - set(have))
        if missing:
            given[field] = {**have, **{key: wanted[key] for key in missing}}
            said.append(f"{', '.join(missing)} {word} for {what} {container['name']}")
    ordered = {key: given[key] for key in ("limits", "requests", "claims") if key in given}
    return {**container, "resources": ordered}


# --- validating ---


def check(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse what is below a minimum, beyond a maximum or over a ratio."""
    look = CLAIM if at.key.resource == "persistentvolumeclaims" else POD
    for one in context.store.list("limitranges", at.namespace):
        wrong = [said for item in (one.get("spec") or {}).get("limits") or () for said in look(item, obj)]
        if wrong:
            why = wrong[0] if len(wrong) == 1 else f"[{', '.join(dict.fromkeys(wrong))}]"
            raise status.forbidden(at.resource, called(obj) if old is None else at.name, why)


def _pod(item: Obj, pod: Obj) -> Iterator[str]:
    if item["type"] == "Pod":
        yield from _bounds(item, "Pod", resources.requests(pod), resources.limits(pod))
    elif item["type"] == "Container":
        spec = pod["spec"]
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            given = container.get("resources") or {}
            asked, may = resources.amounts(given.get("requests")), resources.amounts(given.get("limits"))
            yield from _bounds(item, "Container", asked, may)


def _claim(item: Obj, claim: Obj) -> Iterator[str]:
    if item["type"] != "PersistentVolumeClaim":
        return
    asked = resources.amounts(((claim.get("spec") or {}).get("resources") or {}).get("requests"))
    for name, least in sorted((item.get("min") or {}).items()):
        yield from _minimum("PersistentVolumeClaim", name, Quantity.parse(least), asked, {})
    for name, most in sorted((item.get("max") or {}).items()):
        yield from _most("PersistentVolumeClaim", name, Quantity.parse(most), asked, "request")


POD: Callable[[Obj, Obj], Iterator[str]] = _pod
CLAIM: Callable[[Obj, Obj], Iterator[str]] = _claim


def _bounds(item: Obj, kind: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, least in sorted((item.get("min") or {}).items()):
        yield from _minimum(kind, name, Quantity.parse(least), requests, limits)
    for name, most in sorted((item.get("max") or {}).items()):
        bound = Quantity.parse(most)
        yield from _most(kind, name, bound, limits, "limit")
        if name in limits and not bound < limits[name] and name in requests and bound < requests[name]:
            yield f"maximum {name} usage per {kind} is {bound}, but request is {requests[name]}"
    for name, ratio in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        yield from _ratio(kind, name, Quantity.parse(ratio), requests, limits)


def _minimum(kind: str, name: str, least: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    start = f"minimum {name} usage per {kind} is {least}"
    if name not in requests:
        yield f"{start}.  No request is specified"
    elif requests[name] < least:
        yield f"{start}, but request is {requests[name]}"
    elif name in limits and limits[name] < least:
        yield f"{start}, but limit is {limits[name]}"


def _most(kind: str, name: str, most: Quantity, have: Amounts, word: str) -> Iterator[str]:
    start = f"maximum {name} usage per {kind} is {most}"
    if name not in have:
        yield f"{start}.  No {word} is specified"
    elif most < have[name]:
        yield f"{start}, but {word} is {have[name]}"


def _ratio(kind: str, name: str, most: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    start = f"{name} max limit to request ratio per {kind} is {most}"
    if not requests.get(name):
        yield f"{start}, but no request is specified or request is 0"
    elif not limits.get(name):
        yield f"{start}, but no limit is specified or limit is 0"
    elif limits[name].nano * 1_000_000_000 > most.nano * requests[name].nano:
        yield f"{start}, but provided ratio is {limits[name].nano / requests[name].nano:f}"
