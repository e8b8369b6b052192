"""delete and deletecollection.

Models k8s.io/apiserver/pkg/registry/rest/delete.go, registry/generic/registry/store.go (Delete) and the Pod and Namespace
strategies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kit.embedded.api import admission, reading
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import listed
from kit.embedded.api.writing import ORDER, finished, remove
from kit.embedded.core.store import Obj, Record
from kit.kube import status, times

POLICIES = ("Foreground", "Background", "Orphan", "nil")
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
PENDING = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
# Kinds whose objects are left behind when nothing is said: child Pods and Jobs' Pods.
ORPHANED = frozenset({"jobs.batch", "replicationcontrollers"})
JOB_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
# Kinds whose DELETE answers with the object, where others answer with a Status (ReturnDeletedObject).
RETURNED = frozenset(
    {
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "podtemplates",
        "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io",
        "deviceclasses.resource.k8s.io",
        "resourceclaims.resource.k8s.io",
        "resourceclaimtemplates.resource.k8s.io",
        "resourceslices.resource.k8s.io",
        "storageclasses.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
        "volumeattributesclasses.storage.k8s.io",
        "resourcequotas",
        "serviceaccounts",
        "services",
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """DeleteOptions, from a body or a query."""

    grace: int | None = None
    policy: str = ""
    orphan: bool | None = None
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Options:
        """Read DeleteOptions that were decoded already."""
        conditions = body.get("preconditions") or {}
        out = cls(
            body.get("gracePeriodSeconds"),
            body.get("propagationPolicy") or "",
            body.get("orphanDependents"),
            conditions.get("uid") or "",
            conditions.get("resourceVersion") or "",
            bool(body.get("dryRun")),
        )
        out._check(body.get("dryRun") or [])
        return out

    def _check(self, dry_run: list[Any]) -> None:
        causes = []
        if self.orphan is not None and self.policy:
            why = "orphanDependents and deletionPropagation cannot be both set"
            causes.append(status.invalid_value("propagationPolicy", self.policy, why))
        if self.policy and self.policy not in POLICIES[:3]:
            causes.append(status.not_supported("propagationPolicy", self.policy, POLICIES))
        if any(word != "All" for word in dry_run):
            causes.append(status.not_supported("dryRun", dry_run, ("All",)))
        if causes:
            raise status.invalid("meta.k8s.io", "DeleteOptions", "", causes)


class Deleted(NamedTuple):
    """What a delete did: the object's last or present state, and whether it is gone."""

    record: Record
    gone: bool


def delete(context: Context, at: Attributes, options: Options) -> Deleted:
    """Delete an object, or begin to."""
    record = context.store.record(at.key)
    if record is None:
        raise status.not_found(at.resource, at.name)
    admission.admit_delete(context, at, record.obj)
    _check_conditions(at, options, record.obj)
    if at.key.resource in MARKS:
        marked = MARKS[at.key.resource](context, record.obj)
    else:
        marked = _marked(context, at, options, record.obj)
    gone = finished(marked)
    if gone and "finalizers" not in marked["metadata"] and at.key.resource != "pods":
        marked = record.obj  # what was never marked is returned as it was
    if at.dry_run or options.dry_run:
        return Deleted(Record(marked, record.revision), gone)
    if gone:
        context.trace.add(context.clock.now, at.user.name, "delete", str(at.key))
        return Deleted(remove(context, at.key, marked), True)
    if marked is record.obj:
        return Deleted(record, False)
    context.trace.add(context.clock.now, at.user.name, "delete", str(at.key), "begun")
    return Deleted(context.store.commit(at.key, marked), False)


def delete_collection(context: Context, at: Attributes, options: Options) -> reading.Page:
    """Delete what the selectors name; the list of what was there."""
    page = reading.page(context, at)
    page = page._replace(records=listed(at.resource, page.records))  # before they are gone
    for record in page.records:
        meta = record.obj["metadata"]
        one = replace(at, verb="delete", name=meta["name"], namespace=meta.get("namespace", ""), collective=True)
        if context.store.record(one.key) is not None:
            delete(context, one, options)
    return page


def _check_conditions(at: Attributes, options: Options, obj: Obj) -> None:
    meta = obj["metadata"]
    for said, field, have in (
        (options.uid, "UID", meta["uid"]),
        (options.resource_version, "ResourceVersion", meta["resourceVersion"]),
    ):
        if said and said != have:
            why = (
                f"the {field} in the precondition ({said}) does not match the {field} in record ({have}). "
                "The object might have been " + ("deleted and then recreated" if field == "UID" else "modified")
            )
            raise status.conflict(at.resource.kind, at.name, why)


def _marked(context: Context, at: Attributes, options: Options, obj: Obj) -> Obj:
    """Return the object as deletion leaves it: marked, or ready to go."""
    finalizers = _finalizers(at, options, obj)
    meta = obj["metadata"]
    if at.key.resource == "pods":
        meta = _pod_marks(context, options, obj)
    elif "deletionTimestamp" not in meta:
        meta = {**_bumped(meta), "deletionTimestamp": context.clock.text(), "deletionGracePeriodSeconds": 0}
    if finalizers != (meta.get("finalizers") or []):
        meta = {**meta, "finalizers": finalizers}
        if not finalizers:
            del meta["finalizers"]
    return obj if meta is obj["metadata"] else {**obj, "metadata": _ordered(meta)}


def _pod_marks(context: Context, options: Options, pod: Obj) -> Obj:
    """Return a Pod's metadata after a delete: a grace period may only become shorter."""
    meta: Obj = pod["metadata"]
    if "deletionTimestamp" in meta:
        left = meta.get("deletionGracePeriodSeconds", 0)
        if options.grace is None or _seconds(options.grace) >= left:
            return meta
        grace = _seconds(options.grace)
        due = times.parse(meta["deletionTimestamp"]) - (left - grace) * 1000
        return {**meta, "deletionTimestamp": times.rfc3339(due), "deletionGracePeriodSeconds": grace}
    grace = _grace(options, pod)
    due = context.clock.wall() + grace * 1000
    return {**_bumped(meta), "deletionTimestamp": times.rfc3339(due), "deletionGracePeriodSeconds": grace}


def _grace(options: Options, pod: Obj) -> int:
    """Return how long a Pod may take to end: no time when it runs nowhere (any more)."""
    spec = pod["spec"]
    if not spec.get("nodeName") or (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}:
        return 0
    asked = spec.get("terminationGracePeriodSeconds", 30) if options.grace is None else options.grace
    return _seconds(asked)


def _seconds(grace: int) -> int:
    return 1 if grace < 0 else grace


def _finalizers(at: Attributes, options: Options, obj: Obj) -> list[str]:
    """Return the finalizers with those of the garbage collector as the options want them."""
    have = list(obj["metadata"].get("finalizers") or [])
    policy = _policy(at, options, have)
    wanted = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(policy)
    kept = [one for one in have if one not in {FOREGROUND, ORPHAN}]
    if wanted is None:
        return kept
    return have if have.count(wanted) and len(kept) == len(have) - 1 else [*kept, wanted]


def _policy(at: Attributes, options: Options, have: list[str]) -> str:
    if options.orphan is not None:
        return "Orphan" if options.orphan else "Background"
    if options.policy:
        return options.policy
    if ORPHAN in have:
        return "Orphan"
    if FOREGROUND in have:
        return "Foreground"
    if at.resource.group_resource == "jobs.batch" and JOB_WARNING not in at.warnings:
        at.warnings.append(JOB_WARNING)
    return "Orphan" if at.resource.group_resource in ORPHANED else "Background"


def _namespace(context: Context, obj: Obj) -> Obj:
    """Return a namespace that is terminating."""
    if "deletionTimestamp" in obj["metadata"]:
        return obj
    meta = _ordered({**obj["metadata"], "deletionTimestamp": context.clock.text()})
    return {**obj, "metadata": meta, "status": {**(obj.get("status") or {}), "phase": "Terminating"}}


def _definition(context: Context, obj: Obj) -> Obj:
    """Return a CustomResourceDefinition that waits for its objects to go. Models registry/customresourcedefinition/etcd.go."""
    meta = obj["metadata"]
    if "deletionTimestamp" in meta:
        return obj
    now = context.clock.text()
    meta = _ordered(
        {
            **meta,
            "deletionTimestamp": now,
            "finalizers": list(dict.fromkeys([*(meta.get("finalizers") or ()), CLEANUP])),
        }
    )
    conditions = [one for one in (obj.get("status") or {}).get("conditions") or () if one["type"] != "Terminating"]
    told = {"type": "Terminating", "status": "True", "lastTransitionTime": now, "reason": "InstanceDeletionPending"}
    conditions.append({**told, "message": PENDING})
    return {**obj, "metadata": meta, "status": {**(obj.get("status") or {}), "conditions": conditions}}


# Kinds whose deletion is marked in a way of their own.
MARKS: Mapping[str, Callable[[Context, Obj], Obj]] = {
    "namespaces": _namespace,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}


def _bumped(meta: Obj) -> Obj:
    return {**meta, "generation": meta["generation"] + 1} if "generation" in meta else dict(meta)


def _ordered(meta: Obj) -> Obj:
    return {key: meta[key] for key in ORDER if key in meta}
