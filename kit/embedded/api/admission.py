"""Admission: what the cluster adds to objects and refuses before they are kept.

One list of plug-ins in the API server's own order; each is a function of an object, the request and the cluster that
returns the object, changed or not, or raises a Status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kit.embedded.api import escalation
from kit.embedded.api.attributes import Attributes, called, storage
from kit.embedded.api.context import Context
from kit.embedded.api.plugins import (
    certificates,
    limitranger,
    mutatingpolicy,
    noderestriction,
    podresize,
    podsecurity,
    priorities,
    quota,
    validatingpolicy,
    webhooks,
)
from kit.embedded.api.podadmission import default_tolerations, priority, runtime_class, service_account
from kit.embedded.core.store import Key, Obj
from kit.kube import status
from kit.kube.quantities import Quantity

Plugin = Callable[[Context, Attributes, Obj, "Obj | None"], Obj]

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
DEFAULT_STORAGE = "storageclass.kubernetes.io/is-default-class"
DEFAULT_INGRESS = "ingressclass.kubernetes.io/is-default-class"
PROTECTION = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
    "VolumeAttributesClass": "kubernetes.io/vac-protection",
}
NO_RESIZE = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def admit(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Return an object that may be kept; `old` is None when it is new."""
    for run in _plugins(storage(at.resource), at.subresource, old is None):
        obj = run(context, at, obj, old)
    return obj


def check(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse a valid object that the cluster does not take; warnings may be added to the request's."""
    for run in _checks(storage(at.resource), at.subresource, old is None):
        run(context, at, obj, old)


def admitted(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Note what an object uses that is about to be kept."""
    quota.charge(context, at, obj, old)


def admit_call(context: Context, at: Attributes, obj: Obj) -> None:
    """Refuse what may not be posted to a subresource."""
    noderestriction.check(context, at, obj, None)
    webhooks.mutate(context, at, obj, None)
    validatingpolicy.check(context, at, obj, None)
    webhooks.check(context, at, obj, None)


def admit_connect(context: Context, at: Attributes, options: Obj) -> None:
    """Refuse a connection that may not be made; `options` say what it is for."""
    webhooks.mutate(context, at, options, None)
    validatingpolicy.check(context, at, options, None)
    webhooks.check(context, at, options, None)


def admit_delete(context: Context, at: Attributes, old: Obj) -> None:
    """Refuse to delete what the cluster needs, or what is not the user's."""
    if at.key.resource == "namespaces" and at.name in IMMORTAL:
        raise status.forbidden(at.resource, at.name, "this namespace may not be deleted")
    noderestriction.check_delete(context, at, old)
    priorities.check_delete(at)
    webhooks.mutate(context, at, {}, old)
    validatingpolicy.check(context, at, None, old)
    webhooks.check(context, at, None, old)


def namespace_lifecycle(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Refuse objects in a namespace that is not there, and new ones in one that is going."""
    if not at.namespace:
        return obj
    namespace = context.store.get(Key("namespaces", "", at.namespace))
    if namespace is None:
        raise status.not_found("namespaces", at.namespace)
    if old is None and "deletionTimestamp" in namespace["metadata"]:
        why = f"unable to create new content in namespace {at.namespace} because it is being terminated"
        refused = status.forbidden(at.resource, called(obj), why)
        gone = f"namespace {at.namespace} is being terminated"
        cause = {"reason": "NamespaceTerminating", "message": gone, "field": "metadata.namespace"}
        refused.details = {**(refused.details or {}), "causes": [cause]}
        raise refused
    return obj


def taint_new_nodes(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Keep Pods off a new Node until it is said to be ready."""
    spec = obj.get("spec") or {}
    taints = spec.get("taints") or []
    if any(taint["key"] == NOT_READY["key"] and taint["effect"] == NOT_READY["effect"] for taint in taints):
        return obj
    return {**obj, "spec": {**spec, "taints": [*taints, dict(NOT_READY)]}}


def resize_claims(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Let a claim grow only when its class can."""
    if old is None or _storage(obj) <= _storage(old):
        return obj
    name = (old.get("spec") or {}).get("storageClassName") or ""
    kind = context.store.get(Key("storageclasses.storage.k8s.io", "", name))
    if kind is None or not kind.get("allowVolumeExpansion"):
        raise status.forbidden(at.resource, at.name, NO_RESIZE)
    return obj


def _storage(claim: Obj) -> Quantity:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return Quantity.parse(requests.get("storage", "0"))


def protect_storage(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Hold volumes and claims until nothing uses them."""
    finalizer = PROTECTION[obj["kind"]]
    have = obj["metadata"].get("finalizers") or []
    if finalizer in have:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "finalizers": [*have, finalizer]}}


def default_storage_class(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Give a claim that names no class the newest default one."""
    spec = obj.get("spec") or {}
    if "storageClassName" in spec:
        return obj
    name = _default(context, "storageclasses.storage.k8s.io", DEFAULT_STORAGE)
    return {**obj, "spec": {**spec, "storageClassName": name}} if name else obj


def default_ingress_class(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Give an Ingress that names no class the default one."""
    spec = obj.get("spec") or {}
    annotations = obj["metadata"].get("annotations") or {}
    if "ingressClassName" in spec or "kubernetes.io/ingress.class" in annotations:
        return obj
    name = _default(context, "ingressclasses.networking.k8s.io", DEFAULT_INGRESS)
    return {**obj, "spec": {**spec, "ingressClassName": name}} if name else obj


def _default(context: Context, resource: str, annotation: str) -> str:
    """Return the newest class that is marked as the default, "" when none is."""
    marked = [
        obj
        for obj in context.store.list(resource)
        if (obj["metadata"].get("annotations") or {}).get(annotation) == "true"
    ]
    newest = max(marked, key=lambda obj: (obj["metadata"]["creationTimestamp"], obj["metadata"]["name"]), default=None)
    return str(newest["metadata"]["name"]) if newest else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One plug-in and what it is for."""

    run: Plugin
    resources: frozenset[str] = frozenset()
    on_update: bool = False
    subresources: frozenset[str] = frozenset({""})


@dataclass(frozen=True, slots=True)
class Check:
    """One plug-in that only looks, and what it looks at."""

    run: Callable[[Context, Attributes, Obj, Obj | None], None]
    resources: frozenset[str] = frozenset()
    on_update: bool = True
    subresources: frozenset[str] = frozenset({""})


PODS = frozenset({"pods"})
CLAIMS = frozenset({"persistentvolumeclaims"})
ALL_PARTS = frozenset({"", "status", "scale", "ephemeralcontainers", "resize", "approval"})
PLUGINS: tuple[Step, ...] = (
    Step(namespace_lifecycle, on_update=True),
    Step(limitranger.defaults, PODS),
    Step(service_account, PODS),
    Step(noderestriction.check, on_update=True, subresources=frozenset({"", "status"})),
    Step(taint_new_nodes, frozenset({"nodes"})),
    Step(priority, PODS, on_update=True),
    Step(default_tolerations, PODS, on_update=True),
    Step(runtime_class, PODS),
    Step(default_storage_class, frozenset({"persistentvolumeclaims"})),
    Step(resize_claims, frozenset({"persistentvolumeclaims"}), on_update=True),
    Step(
        protect_storage,
        frozenset({"persistentvolumeclaims", "persistentvolumes", "volumeattributesclasses.storage.k8s.io"}),
    ),
    Step(default_ingress_class, frozenset({"ingresses.networking.k8s.io"})),
    Step(mutatingpolicy.mutate, on_update=True, subresources=ALL_PARTS),
    Step(webhooks.mutate, on_update=True, subresources=ALL_PARTS),
    Step(escalation.check_role, escalation.ROLES, on_update=True),
    Step(escalation.check_binding, escalation.BINDINGS, on_update=True),
)
CHECKS: tuple[Check, ...] = (
    Check(limitranger.check, PODS, on_update=False),
    Check(limitranger.check, PODS, subresources=frozenset({"resize"})),
    Check(limitranger.check, CLAIMS),
    Check(podresize.check, PODS, subresources=frozenset({"resize"})),
    Check(podsecurity.check_pod, PODS, subresources=frozenset({"", "ephemeralcontainers", "resize"})),
    Check(podsecurity.check_template, podsecurity.TEMPLATED),
    Check(podsecurity.check_namespace, frozenset({"namespaces"})),
    Check(priorities.check, frozenset({"priorityclasses.scheduling.k8s.io"})),
    Check(certificates.check_subject, certificates.REQUESTS, on_update=False),
    Check(certificates.check_approval, certificates.REQUESTS, subresources=frozenset({"approval"})),
    Check(certificates.check_signing, certificates.REQUESTS, subresources=frozenset({"status"})),
    Check(validatingpolicy.check, subresources=ALL_PARTS),
    Check(webhooks.check, subresources=ALL_PARTS),
    Check(quota.check),
)


def _meant(steps: Iterable[Step | Check], resource: str, subresource: str, new: bool) -> Iterator[Any]:
    """Yield what is for a write of this resource: few of many, which is why the answers are kept."""
    for one in steps:
        if one.resources and resource not in one.resources:
            continue
        if subresource in one.subresources and (new or one.on_update):
            yield one.run


@lru_cache(maxsize=512)
def _plugins(resource: str, subresource: str, new: bool) -> tuple[Plugin, ...]:
    return tuple(_meant(PLUGINS, resource, subresource, new))


@lru_cache(maxsize=512)
def _checks(
    resource: str, subresource: str, new: bool
) -> tuple[Callable[[Context, Attributes, Obj, Obj | None], None], ...]:
    return tuple(_meant(CHECKS, resource, subresource, new))
