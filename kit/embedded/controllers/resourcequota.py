"""Counts what a namespace uses of its ResourceQuotas: when a quota comes or changes, when something it counts goes away, and every
five minutes.

Models pkg/controller/resourcequota (resource_quota_controller.go, replenishment). What is new is counted by admission.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import After, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import quotas
from kit.kube.kinds import Registry
from kit.kube.pods import is_terminal

QUOTAS = "resourcequotas"
RESYNC_MS = 300_000


class ResourceQuota:
    """The resource quota controller."""

    name = "resourcequota-controller"
    user = "system:serviceaccount:kube-system:resourcequota-controller"
    manager = "kube-controller-manager"
    component = "resourcequota-controller"

    def __init__(self, registry: Registry) -> None:
        counted = {one.group_resource for one in registry.all() if one.namespaced and "delete" in one.verbs}
        self.watches: dict[str, Mapper] = dict.fromkeys(sorted(counted - {"events"}), _freed)
        self.watches[QUOTAS] = _wanted

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Write what is used, when that is not what the quota says."""
        quota = view.at(key)
        if quota is None:
            return

        def objects(resource: str) -> Sequence[Obj]:
            return view.list(resource, key.namespace)

        hard = (quota.get("spec") or {}).get("hard") or {}
        found = {"hard": dict(hard), "used": quotas.used(quota, objects)}
        if found != (quota.get("status") or {}):
            answer = yield Update({**quota, "status": found}, "status")
            if isinstance(answer, Status) and answer.reason != "NotFound":
                raise answer
        yield After(RESYNC_MS - now % RESYNC_MS, housekeeping=True)


def _wanted(event: Event, view: View) -> Iterable[Key]:
    """Map a quota to itself when it is new or wants something else, and to the others of its namespace when it goes."""
    if event.type == "DELETED":
        yield from _all(event, view)
    elif event.old is None or event.old.obj.get("spec") != event.obj.get("spec"):
        yield event.key


def _freed(event: Event, view: View) -> Iterable[Key]:
    """Map an object to the quotas of its namespace when it may use less than before."""
    if event.type == "DELETED" or (event.old is not None and _shrunk(event)):
        yield from _all(event, view)


def _all(event: Event, view: View) -> Iterable[Key]:
    for quota in view.list(QUOTAS, event.key.namespace):
        yield Key(QUOTAS, event.key.namespace, quota["metadata"]["name"])


def _shrunk(event: Event) -> bool:
    old = event.old.obj if event.old else event.obj
    if event.key.resource == "pods":
        return is_terminal(event.obj) and not is_terminal(old)
    return event.key.resource in {"services", "persistentvolumeclaims"} and old.get("spec") != event.obj.get("spec")
