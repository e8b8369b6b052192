"""Priority: at most one PriorityClass is the default, and the system's own stay.

Models plugin/pkg/admission/priority/admission.go; what it does to Pods is in `podadmission`.
"""

from __future__ import annotations

from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.kube import status

CLASSES = "priorityclasses.scheduling.k8s.io"
SYSTEM = frozenset({"system-cluster-critical", "system-node-critical"})


def check(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse a second default."""
    if not obj.get("globalDefault"):
        return
    for one in context.store.list(CLASSES):
        name = one["metadata"]["name"]
        if one.get("globalDefault") and name != obj["metadata"].get("name"):
            why = f"PriorityClass {name} is already marked as default. Only one default can exist"
            raise status.forbidden(at.resource, obj["metadata"].get("name", ""), why)


def check_delete(at: Attributes) -> None:
    """Keep the classes of the system."""
    if at.key.resource == CLASSES and at.name in SYSTEM:
        raise status.forbidden(at.resource, at.name, "this is a system priority class and cannot be deleted")
