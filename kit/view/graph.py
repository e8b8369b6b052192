"""The cluster map: Ingress, Service, Deployment, ReplicaSet, Pod as boxes, and how they hold together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kit.kube import owners, tables
from kit.view.layout import columns
from kit.view.scene import Box, Line, Scene

Obj = Mapping[str, Any]

# The kinds that are drawn, from left to right; kinds of one column stand above each other.
COLUMNS: Sequence[Sequence[str]] = (
    ("Ingress",),
    ("Service",),
    ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"),
    ("ReplicaSet",),
    ("Pod",),
    ("ConfigMap", "Secret", "PersistentVolumeClaim"),
)
FOLD_ABOVE = 150


def scene(objects: Iterable[Obj], title: str) -> Scene:
    """Return the map of `objects` (dicts with kind); above 150 boxes finished ReplicaSets are left out first, then Pods are counted."""
    listed = [obj for obj in objects if any(obj["kind"] in column for column in COLUMNS)]
    known = _shown(listed)
    boxes = [_box(obj) for obj in known]
    lines = [*_owned(known), *_selected(known), *_routed(known), *_mounted(known)]
    order = {kind: index for index, column in enumerate(COLUMNS) for kind in column}
    return columns(title, boxes, lines, order)


def key(obj: Obj) -> str:
    """Return a box id: kind and name, the same while the object lives."""
    return f"{obj['kind']}/{obj['metadata']['name']}"


def _shown(objects: Sequence[Obj]) -> list[Obj]:
    """Leave out what only fills the picture: empty old ReplicaSets, and ConfigMaps and Secrets that no Pod uses."""
    used = {target for obj in objects if obj["kind"] == "Pod" for target in _uses(obj)}
    shown = []
    for obj in objects:
        empty = (
            obj["kind"] == "ReplicaSet"
            and not obj["spec"].get("replicas")
            and not (obj.get("status") or {}).get("replicas")
        )
        unused = obj["kind"] in ("ConfigMap", "Secret") and key(obj) not in used
        if not empty and not unused:
            shown.append(obj)
    if len(shown) > FOLD_ABOVE:
        return [obj for obj in shown if obj["kind"] != "Pod" or owners.controller_of(obj) is None]
    return shown


def _box(obj: Obj) -> Box:
    state, note = _STATES.get(obj["kind"], _plain)(obj)
    if "deletionTimestamp" in obj["metadata"] and obj["kind"] != "Pod":
        state, note = "gone", "Terminating"
    return Box(key(obj), obj["kind"], obj["metadata"]["name"], state, note)


def _plain(obj: Obj) -> tuple[str, str]:
    return "plain", ""


def pod_state(pod: Obj) -> tuple[str, str]:
    """Return (state, note) of a Pod: STATUS and READY as kubectl prints them."""
    status, ready, restarts = tables.pod_status(dict(pod), 0)
    have, _, want = ready.partition("/")
    count = str(restarts).split(" ", 1)[0]
    note = f"{status} {ready}" + (f", {count} restarts" if count != "0" else "")
    if "deletionTimestamp" in pod["metadata"]:
        return "gone", note
    if status in ("Completed", "Succeeded"):
        return "plain", note
    if status == "Running":
        return ("good" if have == want else "wait"), note
    return (
        "wait" if status in ("Pending", "ContainerCreating", "PodInitializing") or status.startswith("Init:") else "bad"
    ), note


def _replicated(obj: Obj) -> tuple[str, str]:
    wanted = obj["spec"].get("replicas", 1)
    ready = (obj.get("status") or {}).get("readyReplicas", 0)
    return ("good" if ready == wanted else "wait"), f"{ready}/{wanted} ready"


def _service(obj: Obj) -> tuple[str, str]:
    ports = ",".join(str(port["port"]) for port in obj["spec"].get("ports") or [])
    address = obj["spec"].get("clusterIP", "")
    return "plain", f"{'headless' if address == 'None' else address} :{ports}"


def _claim(obj: Obj) -> tuple[str, str]:
    phase = (obj.get("status") or {}).get("phase", "Pending")
    return ("good" if phase == "Bound" else "wait"), phase


_STATES = {
    "Pod": pod_state,
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "StatefulSet": _replicated,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
}


def _owned(objects: Sequence[Obj]) -> Iterable[Line]:
    by_uid = {obj["metadata"]["uid"]: obj for obj in objects if "uid" in obj["metadata"]}
    for obj in objects:
        owner = by_uid.get((owners.controller_of(dict(obj)) or {}).get("uid", ""))
        if owner is not None:
            yield Line(key(owner), key(obj), "owns")


def _selected(objects: Sequence[Obj]) -> Iterable[Line]:
    labelled: dict[tuple[str, str], list[Obj]] = {}
    for pod in objects:
        if pod["kind"] == "Pod":
            for label in (pod["metadata"].get("labels") or {}).items():
                labelled.setdefault(label, []).append(pod)
    for service in objects:
        wanted = service["spec"].get("selector") if service["kind"] == "Service" else None
        if wanted:
            candidates = labelled.get(next(iter(wanted.items())), ())
            yield from (Line(key(service), key(pod), "selects") for pod in candidates if _matches(wanted, pod))


def _matches(wanted: Mapping[str, str], pod: Obj) -> bool:
    labels: Mapping[str, str] = pod["metadata"]["labels"]
    return wanted.items() <= labels.items()


def _routed(objects: Sequence[Obj]) -> Iterable[Line]:
    names = {key(obj) for obj in objects}
    for ingress in objects:
        if ingress["kind"] != "Ingress":
            continue
        backends = [ingress["spec"].get("defaultBackend") or {}]
        for rule in ingress["spec"].get("rules") or []:
            backends += [path["backend"] for path in (rule.get("http") or {}).get("paths") or []]
        targets = {f"Service/{backend['service']['name']}" for backend in backends if backend.get("service")}
        yield from (Line(key(ingress), target, "routes") for target in sorted(targets & names))


def _mounted(objects: Sequence[Obj]) -> Iterable[Line]:
    names = {key(obj) for obj in objects}
    for pod in objects:
        if pod["kind"] == "Pod":
            yield from (Line(key(pod), target, "mounts") for target in sorted(_uses(pod) & names))


def _uses(pod: Obj) -> set[str]:
    found = set()
    for volume in pod["spec"].get("volumes") or []:
        for field, kind, name in (
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
            ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
        ):
            if field in volume:
                found.add(f"{kind}/{volume[field].get(name, '')}")
    for container in pod["spec"]["containers"]:
        for source in container.get("envFrom") or []:
            found |= {f"ConfigMap/{source['configMapRef']['name']}"} if "configMapRef" in source else set()
            found |= {f"Secret/{source['secretRef']['name']}"} if "secretRef" in source else set()
        for variable in container.get("env") or []:
            value = variable.get("valueFrom") or {}
            found |= {f"ConfigMap/{value['configMapKeyRef']['name']}"} if "configMapKeyRef" in value else set()
            found |= {f"Secret/{value['secretKeyRef']['name']}"} if "secretKeyRef" in value else set()
    return found
