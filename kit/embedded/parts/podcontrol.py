"""How controllers make and end Pods, and what they say of it. Models RealPodControl of pkg/controller/controller_utils.go."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.controller import pod_key
from kit.embedded.core.effects import Create, Delete, Emit
from kit.embedded.core.store import Obj
from kit.errors import Status
from kit.kube import copies, owners


def pod_of(owner: Obj, template: Obj) -> Obj:
    """Return a Pod of the owner's template, with a name that the API ends."""
    metadata = copies.deep(template.get("metadata") or {})
    metadata.pop("creationTimestamp", None)
    metadata |= {"generateName": f"{owner['metadata']['name']}-", "namespace": owner["metadata"]["namespace"]}
    metadata["ownerReferences"] = [owners.owner_reference(owner, controller=True)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": copies.deep(template["spec"])}


def create(owner: Obj, pod: Obj) -> Any:
    """Create a Pod and tell of it; return it, or the refusal."""
    made = yield Create(pod)
    if isinstance(made, Status):
        if not of_ending_namespace(made):
            yield Emit(owner, "Warning", "FailedCreate", f"Error creating: {made.message}")
        return made
    yield Emit(owner, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    return made


def delete(owner: Obj, pod: Obj) -> Any:
    """Delete a Pod and tell of it; return the refusal unless it was gone already."""
    gone = yield Delete(pod_key(pod), {"preconditions": {"uid": pod["metadata"]["uid"]}})
    if isinstance(gone, Status):
        if gone.reason == "NotFound":
            return None
        yield Emit(owner, "Warning", "FailedDelete", f"Error deleting: {gone.message}")
        return gone
    yield Emit(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
    return None


def of_ending_namespace(refusal: Status) -> bool:
    """Say whether something was refused because its namespace is being deleted."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in (refusal.details or {}).get("causes") or ())
