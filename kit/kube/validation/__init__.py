"""Validation: what the API server refuses, word by word, before an object is kept.

One table (`kinds.RULES`) says per kind which checks a new object, a changed one and a status must pass. Everything takes
plain objects and returns the causes of the refusal, none when the object is fine.
"""

from __future__ import annotations

from kit.kube.kinds import Resource
from kit.kube.status import Cause
from kit.kube.validation import metadata
from kit.kube.validation.checks import Obj
from kit.kube.validation.kinds import OTHERS, RULES

__all__ = ["validate_create", "validate_status_update", "validate_update"]


def validate_create(obj: Obj, resource: Resource) -> list[Cause]:
    """Return what is wrong with a new object, which has its defaults."""
    out: list[Cause] = []
    rules = RULES.get(resource.group_kind, OTHERS)
    metadata.validate(rules.meta(obj), rules.name, out, core=rules.core)
    if rules.create is not None:
        rules.create(obj, out)
    return out


def validate_update(new: Obj, old: Obj, resource: Resource, subresource: str = "") -> list[Cause]:
    """Return what is wrong with a changed object."""
    out: list[Cause] = []
    rules = RULES.get(resource.group_kind, OTHERS)
    metadata.validate_update(new["metadata"], old["metadata"], out, core=rules.core)
    part = rules.parts.get(subresource)
    if subresource and part is not None:
        part(new, old, out)
        return out
    if rules.again is not None:
        rules.again(new, out)
    if rules.update is not None:
        rules.update(new, old, out)
    return out


def validate_status_update(new: Obj, old: Obj, resource: Resource) -> list[Cause]:
    """Return what is wrong with the changed status of an object."""
    out: list[Cause] = []
    rules = RULES.get(resource.group_kind, OTHERS)
    if new["metadata"] is not old["metadata"]:
        metadata.validate_update(new["metadata"], old["metadata"], out, core=rules.core)
    if rules.status is not None:
        rules.status(new, old, out)
    return out
