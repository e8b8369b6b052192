"""APIServices: one for every group version that is served, and those that others make for servers of their own.

Models pkg/controlplane/apiserver/aggregator.go (the priorities) and kube-aggregator's autoregister controller. Those of built-in
groups are made at each start, and stay away until the next when somebody deletes them; those of definitions are kept by
`controllers/apiservices.py`. They go into the store as they are, past the verbs, as the roles do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kit.embedded.api.answers import text
from kit.embedded.api.context import Context
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Key, Obj, Store
from kit.embedded.core.turns import Response

RESOURCE = "apiservices.apiregistration.k8s.io"
GROUP = "apiregistration.k8s.io"
LABEL = "kube-aggregator.kubernetes.io/automanaged"
SALT = 0x6170_6973  # their uids are drawn apart: what else a cluster draws does not depend on how many there are
_USUAL = 15
# group -> (groupPriorityMinimum, versionPriority of each version that has another than 15)
PRIORITIES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "": (18000, {"v1": 1}),
    "admissionregistration.k8s.io": (16700, {}),
    "apiextensions.k8s.io": (16700, {}),
    "apps": (17800, {}),
    "authentication.k8s.io": (17700, {}),
    "authorization.k8s.io": (17600, {}),
    "autoscaling": (17500, {"v2": 30}),
    "batch": (17400, {}),
    "certificates.k8s.io": (17300, {}),
    "coordination.k8s.io": (16500, {}),
    "discovery.k8s.io": (16200, {}),
    "events.k8s.io": (17750, {}),
    "flowcontrol.apiserver.k8s.io": (16100, {"v1": 21}),
    "networking.k8s.io": (17200, {}),
    "node.k8s.io": (16300, {}),
    "policy": (17100, {}),
    "rbac.authorization.k8s.io": (17000, {}),
    "resource.k8s.io": (16200, {"v1": 21}),
    "scheduling.k8s.io": (16600, {}),
    "storage.k8s.io": (16800, {}),
    "storagemigration.k8s.io": (15800, {}),
}
METRICS = {"metrics.k8s.io": (100, {"v1beta1": 100})}  # as metrics-server's own manifest has it
AVAILABLE = ("Available", "True", "Local", "Local APIServices are always available")


def keep(context: Context) -> None:
    """Make those of the built-in groups that are not there, as every start of the API server does."""
    ids, now = Ids(context.ids.seed ^ SALT), context.clock.text()
    for obj in _expected(context):
        uid = ids.uid()
        key = Key(RESOURCE, "", obj["metadata"]["name"])
        if context.store.record(key) is None:
            context.store.commit(key, _made(obj, uid, now))


def _expected(context: Context) -> Iterator[Obj]:
    served = context.registry.groups()
    for group, (minimum, versions) in {**PRIORITIES, **METRICS}.items():
        for version in dict.fromkeys(("v1", *versions)):
            if version in served.get(group, ()):
                yield local(group, version, minimum, versions.get(version, _USUAL), "onstart")


def local(group: str, version: str, minimum: int, priority: int, managed: str) -> Obj:
    """Return an APIService of a group version that the API server serves itself."""
    named = {"group": group} if group else {}
    return {
        "kind": "APIService",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"name": f"{version}.{group}", "labels": {LABEL: managed}},
        "spec": {**named, "version": version, "groupPriorityMinimum": minimum, "versionPriority": priority},
    }


def _made(obj: Obj, uid: str, now: str) -> Obj:
    """Return an object as the API server keeps it."""
    given = obj["metadata"]
    owned: dict[str, Any] = {
        "f:metadata": {"f:labels": {".": {}, f"f:{LABEL}": {}}},
        "f:spec": {f"f:{key}": {} for key in sorted(obj["spec"])},
    }
    entry = {"manager": "kube-apiserver", "operation": "Update", "apiVersion": f"{GROUP}/v1", "time": now}
    meta = {
        "name": given["name"],
        "uid": uid,
        "resourceVersion": "",
        "creationTimestamp": now,
        "labels": given["labels"],
    }
    meta["managedFields"] = [entry | {"fieldsType": "FieldsV1", "fieldsV1": owned}]
    condition = dict(zip(("type", "status", "reason", "message"), AVAILABLE, strict=True))
    ordered = {"type": condition.pop("type"), "status": condition.pop("status"), "lastTransitionTime": now}
    return {**obj, "metadata": meta, "status": {"conditions": [ordered | condition]}}


def unavailable(store: Store, path: str) -> Response | None:
    """Return the answer below a group version that another server should serve, None for other paths."""
    parts = path.strip("/").split("/")
    if len(parts) < 3 or parts[0] != "apis":
        return None
    found = store.get(Key(RESOURCE, "", f"{parts[2]}.{parts[1]}"))
    if found is None or not found["spec"].get("service"):
        return None
    return text("service unavailable\n", 503)
