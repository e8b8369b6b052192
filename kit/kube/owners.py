"""Who owns an object.

Models k8s.io/apimachinery/pkg/apis/meta/v1/controller_ref.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]


def references(obj: Object) -> list[dict[str, Any]]:
    """Return the owner references of an object."""
    return obj["metadata"].get("ownerReferences") or []


def controller_of(obj: Object) -> dict[str, Any] | None:
    """Return the reference to the one owner that controls an object, or None."""
    return next((reference for reference in references(obj) if reference.get("controller")), None)


def uids(obj: Object) -> tuple[str, ...]:
    """Return the uids of all owners of an object."""
    return tuple(reference["uid"] for reference in references(obj))


def owner_reference(owner: Object, *, controller: bool = True) -> dict[str, Any]:
    """Return the reference by which `owner` controls what it makes, or merely owns it."""
    metadata = owner["metadata"]
    out = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    return {**out, "controller": True, "blockOwnerDeletion": True} if controller else out


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Return whether `owner`, this very one by uid, controls an object."""
    reference = controller_of(obj)
    return reference is not None and bool(reference["uid"] == owner["metadata"]["uid"])
