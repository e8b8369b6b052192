"""Validation of metadata, the same for every kind.

Models k8s.io/apimachinery/pkg/api/validation/objectmeta.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

ANNOTATIONS_MAX: Final = 256 * 1024
STANDARD_FINALIZERS: Final = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
OWNER_FIELDS: Final = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
BANNED_OWNERS: Final = frozenset({("v1", "Event")})
_KEPT: Final = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def validate(meta: Obj, rule: Callable[[str], list[str]], out: Causes, *, core: bool = True) -> None:
    """Check the metadata of a new object whose names are made by `rule`; `core`: finalizers must be qualified, or well known."""
    base, name = meta.get("generateName"), meta.get("name")
    if base:
        prefix = base[:-2] + "a" if len(base) > 1 and base.endswith("-") else base
        out.extend(status.invalid_value("metadata.generateName", base, text) for text in rule(prefix))
    if not name:
        out.append(status.required("metadata.name", "name or generateName is required"))
    else:
        checks.name(rule, name, "metadata.name", out)
    _common(meta, out, core=core)


def validate_update(new: Obj, old: Obj, out: Causes, *, core: bool = True) -> None:
    """Check the metadata of a changed object; `core` as for a new one."""
    for key in _KEPT:
        if new.get(key) is not None and old.get(key) != new[key]:
            out.append(status.immutable(f"metadata.{key}", new[key]))
    if old.get("deletionTimestamp"):
        _no_new_finalizers(new, old, out)
    _common(new, out, core=core)


def _no_new_finalizers(new: Obj, old: Obj, out: Causes) -> None:
    added = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
    if added:
        shown = ", ".join(f'"{one}"' for one in added)
        why = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown}}}"
        out.append(status.forbidden_value("metadata.finalizers", why))


def _common(meta: Obj, out: Causes, *, core: bool) -> None:
    if meta.get("labels"):
        checks.labels(meta["labels"], "metadata.labels", out)
    if meta.get("annotations"):
        notes(meta["annotations"], "metadata.annotations", out)
    if meta.get("ownerReferences"):
        _owners(meta["ownerReferences"], "metadata.ownerReferences", out)
    if meta.get("finalizers"):
        _finalizers(meta["finalizers"], "metadata.finalizers", out)
    if meta.get("finalizers") and core:
        _qualified(meta["finalizers"], "metadata.finalizers", out)


def notes(value: dict[str, str] | None, at: str, out: Causes) -> None:
    """Want keys made as label keys (case does not matter), and not too much text."""
    size = 0
    for key, text in (value or {}).items():
        complaints = checks.known_good(names.qualified, key.lower())
        out.extend(status.invalid_value(at, key, complaint) for complaint in complaints)
        size += len(key) + len(text)
    if size > ANNOTATIONS_MAX:
        out.append(status.too_long(at, ANNOTATIONS_MAX))


def _owners(owners: list[Obj], at: str, out: Causes) -> None:
    controller: Obj | None = None
    for index, owner in enumerate(owners):
        _owner(owner, f"{at}[{index}]", out)
        if not owner.get("controller"):
            continue
        if controller is not None:
            who = f"{controller.get('kind')}/{controller.get('name')} and {owner.get('kind')}/{owner.get('name')}"
            why = f'Only one reference can have Controller set to true. Found "true" in references for {who}'
            out.append(status.invalid_value(at, [_printed(one) for one in owners], why))
        controller = owner


def _owner(owner: Obj, at: str, out: Causes) -> None:
    for key in ("apiVersion", "kind", "name", "uid"):
        if not owner.get(key):
            out.append(status.required(f"{at}.{key}", "must not be empty"))
    if (owner.get("apiVersion"), owner.get("kind")) in BANNED_OWNERS:
        why = f"/{owner['apiVersion']}, Kind={owner['kind']} is disallowed from being an owner"
        out.append(status.invalid_value(at, _printed(owner), why))


def _printed(owner: Obj) -> Obj:
    """Return a reference with its keys as the fields of Go's OwnerReference stand, which is not their order on the wire."""
    return {key: owner[key] for key in OWNER_FIELDS if key in owner}


def _finalizers(finalizers: list[str], at: str, out: Causes) -> None:
    for finalizer in finalizers:
        checks.name(names.qualified, finalizer, at, out)
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        out.append(_conflict(finalizers, at))


def _qualified(finalizers: list[str], at: str, out: Causes) -> None:
    """Models ValidateFinalizerName of pkg/apis/core/validation: not for what has no types there."""
    for index, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            out.append(status.invalid_value(f"{at}[{index}]", finalizer, why))


def _conflict(finalizers: Any, at: str) -> status.Cause:
    why = "finalizer orphan and foregroundDeletion cannot be both set"
    return status.invalid_value(at, finalizers, why)
