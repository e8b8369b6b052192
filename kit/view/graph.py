"""The cluster map: Ingress, Service, Deployment, ReplicaSet, Pod as boxes, and how they hold together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
_COLUMN = {kind: index for index, column in enumerate(COLUMNS) for kind in column}


@dataclass(frozen=True)
class Sight:
    """What the map wants to know of one object: its id and box, its controller's uid, and the ids of what it uses."""

    obj: Obj
    id: str
    kind: str
    box: Box
    owner: str
    uses: frozenset[str]


class Memory:
    """Sights of the last map: an object that is the very same one is not looked at again."""

    def __init__(self) -> None:
        self._seen: dict[
            int, Sight
        ] = {}  # by the object's identity, which the sight itself keeps from being given away

    def look(self, objects: Iterable[Obj]) -> list[Sight]:
        """Return the sights of the objects that are drawn."""
        sights = [self._seen.get(id(obj)) or _sight(obj) for obj in objects if obj["kind"] in _COLUMN]
        self._seen = {id(sight.obj): sight for sight in sights}
        return sights


def scene(objects: Iterable[Obj], title: str, memory: Memory | None = None) -> Scene:
    """Return the map of `objects` (dicts with kind); above 150 boxes finished ReplicaSets are left out first, then Pods are counted.

    A live picture gives its `memory`, so that only what has changed costs something.
    """
    known = _shown((memory or Memory()).look(objects))
    lines = [*_owned(known), *_selected(known), *_routed(known), *_mounted(known)]
    return columns(title, [sight.box for sight in known], lines, _COLUMN)


def key(obj: Obj) -> str:
    """Return a box id: kind and name, the same while the object lives."""
    return f"{obj['kind']}/{obj['metadata']['name']}"


def _sight(obj: Obj) -> Sight:
    uses = frozenset(_uses(obj)) if obj["kind"] == "Pod" else frozenset()
    owner = (owners.controller_of(dict(obj)) or {}).get("uid", "")
    return Sight(obj, key(obj), obj["kind"], _box(obj), owner, uses)


def _shown(sights: Sequence[Sight]) -> list[Sight]:
    """Leave out what only fills the picture: empty old ReplicaSets, and ConfigMaps and Secrets that no Pod uses."""
    used = {target for sight in sights for target in sight.uses}
    shown = [
        sight
        for sight in sights
        if not (sight.kind in ("ConfigMap", "Secret") and sight.id not in used)
        and not (sight.kind == "ReplicaSet" and _empty(sight.obj))
    ]
    if len(shown) > FOLD_ABOVE:
        return [sight for sight in shown if sight.kind != "Pod" or not sight.owner]
    return shown


def _empty(replica_set: Obj) -> bool:
    return not replica_set["spec"].get("replicas") and not (replica_set.get("status") or {}).get("replicas")


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


def _owned(sights: Sequence[Sight]) -> Iterable[Line]:
    by_uid = {sight.obj["metadata"]["uid"]: sight.id for sight in sights if "uid" in sight.obj["metadata"]}
    for sight in sights:
        if (owner := by_uid.get(sight.owner)) is not None:
            yield Line(owner, sight.id, "owns")


def _selected(sights: Sequence[Sight]) -> Iterable[Line]:
    labelled: dict[tuple[str, str], list[Sight]] = {}
    for pod in sights:
        if pod.kind == "Pod":
            for label in (pod.obj["metadata"].get("labels") or {}).items():
                labelled.setdefault(label, []).append(pod)
    for service in sights:
        wanted = service.obj["spec"].get("selector") if service.kind == "Service" else None
        if wanted:
            candidates = labelled.get(next(iter(wanted.items())), ())
            yield from (Line(service.id, pod.id, "selects") for pod in candidates if _matches(wanted, pod.obj))


def _matches(wanted: Mapping[str, str], pod: Obj) -> bool:
    labels: Mapping[str, str] = pod["metadata"]["labels"]
    return wanted.items() <= labels.items()


def _routed(sights: Sequence[Sight]) -> Iterable[Line]:
    names = {sight.id for sight in sights}
    for ingress in sights:
        if ingress.kind != "Ingress":
            continue
        spec = ingress.obj["spec"]
        backends = [spec.get("defaultBackend") or {}]
        for rule in spec.get("rules") or []:
            backends += [path["backend"] for path in (rule.get("http") or {}).get("paths") or []]
        targets = {f"Service/{backend['service']['name']}" for backend in backends if backend.get("service")}
        yield from (Line(ingress.id, target, "routes") for target in sorted(targets & names))


def _mounted(sights: Sequence[Sight]) -> Iterable[Line]:
    names = {sight.id for sight in sights}
    for pod in sights:
        yield from (Line(pod.id, target, "mounts") for target in sorted(pod.uses & names))


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
