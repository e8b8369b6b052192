"""IPAddress objects: one for every cluster IP that a Service holds.

Models pkg/registry/core/service/ipallocator/ipallocator.go: who makes such an object by hand keeps its address from Services.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api.context import Context
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Key, Obj

RESOURCE = "ipaddresses.networking.k8s.io"
VERSION = "networking.k8s.io/v1"
LABELS = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
SALT = 0x6970_6164  # their uids are drawn apart: what else a cluster draws does not depend on how many there are
_OWNED: dict[str, Any] = {
    "f:metadata": {"f:labels": {".": {}, **{f"f:{key}": {} for key in sorted(LABELS)}}},
    "f:spec": {"f:parentRef": {".": {}, "f:name": {}, "f:namespace": {}, "f:resource": {}}},
}


def held(context: Context, address: str) -> bool:
    """Return whether there is such an object."""
    return context.store.record(_key(address)) is not None


def keep(context: Context, address: str, service: Obj) -> None:
    """Make the object of an address that a Service has got, where there is none."""
    if held(context, address):
        return
    meta, now = service["metadata"], context.clock.text()
    entry = {"manager": "kube-apiserver", "operation": "Update", "apiVersion": VERSION, "time": now}
    made: Obj = {
        "kind": "IPAddress",
        "apiVersion": VERSION,
        "metadata": {
            "name": address,
            "uid": Ids(context.ids.seed ^ SALT, context.store.revision).uid(),
            "resourceVersion": "",
            "creationTimestamp": now,
            "labels": dict(LABELS),
            "managedFields": [entry | {"fieldsType": "FieldsV1", "fieldsV1": _OWNED}],
        },
        "spec": {"parentRef": {"resource": "services", "namespace": meta["namespace"], "name": meta["name"]}},
    }
    context.store.commit(_key(address), made)


def drop(context: Context, address: str) -> None:
    """Remove the object of an address that is free again."""
    if held(context, address):
        context.store.remove(_key(address))


def _key(address: str) -> Key:
    return Key(RESOURCE, "", address)
