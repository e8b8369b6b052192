"""create and update: from a decoded object to a revision in the store.

Models k8s.io/apiserver/pkg/registry/generic/registry/store.go and registry/rest/{create,update}.go. HTTP requests and the
effects of controllers come through here alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.api import admission, custom, rules, services
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import kept, opened, shown, stored
from kit.embedded.core.store import Key, Obj, Record
from kit.errors import Status
from kit.kube import copies, status
from kit.kube.kinds import Resource

Change = Callable[[Obj], Obj]

NAMED_BY_UID = frozenset({"LimitRange"})  # registry/core/limitrange/strategy.go
GENERATED = 58  # letters of generateName that are kept
_SYSTEM = frozenset({"name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"})
ORDER = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip
_NEVER_NEW = frozenset({"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"})

# Kinds that a PUT makes when they are not there (AllowCreateOnUpdate of their strategies).
CREATED_BY_PUT = frozenset(
    {
        "bindings",
        "endpoints",
        "events",
        "leases.coordination.k8s.io",
        "limitranges",
        "roles.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "services",
        "runtimeclasses.node.k8s.io",
    }
)
# Kinds whose PUT must name the resourceVersion it replaces (AllowUnconditionalUpdate of their strategies is false).
CONDITIONAL = frozenset(
    {
        "customresourcedefinitions.apiextensions.k8s.io",
        "ingressclasses.networking.k8s.io",
        "leases.coordination.k8s.io",
        "poddisruptionbudgets.policy",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "csinodes.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
    }
)
# Where etcd keeps the objects of a resource, where that is not its plural.
FOLDERS = {
    "endpoints": "services/endpoints",
    "services": "services/specs",
    "nodes": "minions",
    "replicationcontrollers": "controllers",
    "ingresses.networking.k8s.io": "ingress",
}
GROUPED = frozenset({"apiextensions.k8s.io", "apiregistration.k8s.io"})


def create(context: Context, at: Attributes, obj: Obj, *, applied: bool = False) -> Record:
    """Keep a new object; its record, or with dryRun what it would be. `obj` has defaults and is not changed.

    `applied` says that server-side apply has settled who owns its fields already.
    """
    obj = _begun(at, obj)
    if not applied:
        obj = rules.owned(context, at, None, obj)
    obj = stored(at.resource, obj)
    obj = _named(context, at, admission.admit(context, at, obj, None))
    obj = rules.prepared_create(context, at, _stamped(context, obj))
    at.name = obj["metadata"].get("name", "")
    rules.check_create(obj, at)
    rules.check_zone(context, obj, None, at)
    admission.check(context, at, obj, None)
    if at.key.resource == "services":
        obj = services.allocated(context, obj, None, dry_run=at.dry_run)
    if at.resource.custom:
        custom.admitted(at)
    try:
        if context.store.record(at.key) is not None:
            raise status.already_exists(at.resource, at.name)
        admission.admitted(context, at, obj, None)
    except Status:
        services.released(context, obj, at)
        raise
    return _kept(context, at, obj)


def update(context: Context, at: Attributes, change: Change, *, applied: bool = False, whole: bool = False) -> Record:
    """Replace an object by what `change` makes of it; nothing is written when that is the same.

    `applied` as for `create`; `whole` takes the change as it is, past the kind's strategy (binding, finalize and their like).
    """
    record = context.store.record(at.key)
    if record is None:
        raise status.not_found(at.resource, at.name)
    record = opened(at.resource, at.key, record)
    old = record.obj
    new = _continued(at, change(old), old)
    if not (applied or whole):  # a binding is in nobody's managed fields
        new = rules.owned(context, at, shown(at.resource, old), new)
    new = stored(at.resource, new)
    new = admission.admit(context, at, new, old)
    if not whole:
        new = rules.prepared_update(context, at, new, old)
        rules.check_update(new, old, at)
        rules.check_zone(context, new, old, at)
        admission.check(context, at, new, old)
    if at.key.resource == "services" and not at.subresource:
        new = services.allocated(context, new, old, dry_run=at.dry_run)
    if new == old and record.written is None:
        return record
    admission.admitted(context, at, new, old)
    return _kept(context, at, new)


def _kept(context: Context, at: Attributes, obj: Obj) -> Record:
    """Commit an object, or remove it when this write let go of its last finalizer."""
    if at.dry_run:
        return Record(_written(at, obj), context.store.revision)
    obj = kept(at.resource, obj)
    other = at.resource.custom is not None and obj["apiVersion"] != at.resource.api_version
    back = shown(at.resource, obj) if other else None  # a webhook is asked before anything is written
    if finished(obj):
        record = context.store.record(at.key)
        if record is not None:
            return remove(context, at.key, obj)
    context.trace.add(context.clock.now, at.user.name, at.verb, _what(at))
    if "resourceVersion" not in obj["metadata"] or at.resource.custom:
        obj = _written(at, {**obj, "metadata": {**obj["metadata"], "resourceVersion": ""}})
    record = context.store.commit(at.key, obj)
    if back is None:
        return record
    meta = {**back["metadata"], "resourceVersion": record.obj["metadata"]["resourceVersion"]}
    return Record(_written(at, {**back, "metadata": meta}), record.revision)


def finished(obj: Obj) -> bool:
    """Return whether an object that is being deleted has nothing left to wait for."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or meta.get("finalizers"):
        return False
    if obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers"):
        return False
    return not meta.get("deletionGracePeriodSeconds")


def remove(context: Context, key: Key, last: Obj | None = None) -> Record:
    """Take an object out of the store, and give back what it held. `last` is its final state."""
    gone = context.store.remove(key)
    if last is not None:
        version = gone.obj["metadata"]["resourceVersion"]
        gone.rebased({**last, "metadata": {**last["metadata"], "resourceVersion": version}})
    if key.resource == "services":
        services.freed(context, gone.obj)
    return gone


def _begun(at: Attributes, obj: Obj) -> Obj:
    """Return a new object with what its writer may say of itself, and its namespace; its name may still be missing."""
    given = obj.get("metadata") or {}
    if given.get("resourceVersion") and not at.dry_run and at.verb != "update":
        raise status.plain_error("resourceVersion should not be set on objects to be created")
    meta: dict[str, Any] = {key: given[key] for key in ("name", "generateName") if given.get(key)}
    if at.resource.namespaced:
        meta["namespace"] = at.namespace
    if at.dry_run and at.verb != "update" and given.get("resourceVersion"):
        meta["resourceVersion"] = given["resourceVersion"]
    meta.update((key, value) for key, value in given.items() if key not in _SYSTEM and key not in _NEVER_NEW)
    return _headed(at, obj, meta)


def _named(context: Context, at: Attributes, obj: Obj) -> Obj:
    """Return a new object with a name made from its generateName when it brings none: after admission, as upstream."""
    meta = obj["metadata"]
    base, name = meta.get("generateName", ""), meta.get("name", "")
    while not name and base:
        name = base[:GENERATED] + context.ids.suffix()
        if context.store.record(Key(at.key.resource, at.namespace, name)) is not None:
            name = ""
    if not name and at.resource.group_kind in NAMED_BY_UID:
        name = context.ids.uid()
    return {**obj, "metadata": {"name": name, **meta}} if name else obj


def _headed(at: Attributes, obj: Obj, meta: dict[str, Any]) -> Obj:
    """Return an object that begins with kind, apiVersion and metadata, as every stored one does."""
    rest = {key: value for key, value in obj.items() if key not in {"kind", "apiVersion", "metadata"}}
    return {"kind": at.resource.kind, "apiVersion": at.resource.api_version, "metadata": meta, **rest}


def _stamped(context: Context, obj: Obj) -> Obj:
    """Return a new object with uid and creation time."""
    meta = {**obj["metadata"], "uid": context.ids.uid(), "creationTimestamp": context.clock.text()}
    return {**obj, "metadata": meta}


def _written(at: Attributes, obj: Obj) -> Obj:
    """Return an object in the order the API server writes it: that of Go's fields, of letters where Go has no type."""
    if at.resource.custom:
        ordered: Obj = copies.in_order(obj)
        return ordered
    given = obj["metadata"]
    return {**obj, "metadata": {key: given[key] for key in ORDER if key in given}}


def _continued(at: Attributes, new: Obj, old: Obj) -> Obj:
    """Return a changed object with what a write may not change, and refuse one that is about another state or object."""
    meta, before = new.get("metadata") or {}, old["metadata"]
    uid = str(meta.get("uid") or before["uid"])
    if at.verb == "update":  # the uid of a whole object is a precondition, that of a patched one a field like others
        check_uid(at, uid, before["uid"])
    _check_version(at, str(meta.get("resourceVersion") or ""), before)
    check_uid(at, uid, before["uid"])
    out: dict[str, Any] = {
        key: before[key]
        for key in ("name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp")
        if key in before
    }
    if "generateName" in meta:
        out["generateName"] = meta["generateName"]
    if meta.get("deletionTimestamp"):
        out["deletionTimestamp"] = meta["deletionTimestamp"]
    for key in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if key in before:
            out.setdefault(key, before[key])
    out.update((key, value) for key, value in meta.items() if key not in _SYSTEM and key not in _NEVER_NEW)
    return _headed(at, new, out)


def _check_version(at: Attributes, given: str, before: Obj) -> None:
    if given in {"", "0"}:
        if at.verb == "update" and _conditional(at.resource) and not at.subresource:
            must = status.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            kind = at.resource.plural if at.resource.custom else at.resource.kind
            raise status.invalid(at.resource.group, kind, at.name, [must])
        return
    if not (given.isascii() and given.isdigit()):
        raise status.plain_error(f'strconv.ParseUint: parsing "{given}": invalid syntax')
    if given != before["resourceVersion"]:
        raise status.conflict(at.resource, at.name)


def _conditional(resource: Resource) -> bool:
    """Return whether a PUT must name the resourceVersion it replaces."""
    return resource.custom is not None or resource.group_resource in CONDITIONAL


def check_uid(at: Attributes, given: str, uid: str) -> None:
    """Refuse a write about an object of another uid; `uid` is that of the one there is, "" when there is none."""
    if given == uid or not given:
        return
    if at.verb == "patch":
        wrong = status.immutable("metadata.uid", given)
        raise status.invalid(at.resource.group, at.resource.kind, at.name, [wrong])
    root = () if at.dry_run else ("registry",)  # a dry run's storage has no prefix
    where = "/".join(part for part in (*root, _folder(at.resource), at.namespace, at.name) if part)
    why = f"Precondition failed: UID in precondition: {given}, UID in object meta: {uid}"
    error = f"StorageError: invalid object, Code: 4, Key: /{where}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
    raise status.conflict(at.resource, at.name, error)


def _folder(resource: Resource) -> str:
    """Return where etcd would keep the objects of a resource."""
    if resource.custom is not None or resource.group in GROUPED:
        return f"{resource.group}/{resource.plural}"
    return FOLDERS.get(resource.group_resource, resource.plural)


def _what(at: Attributes) -> str:
    return f"{at.key}/{at.subresource}" if at.subresource else str(at.key)
