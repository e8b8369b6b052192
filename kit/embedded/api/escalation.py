"""Who writes roles and bindings may not give more than they have themselves, but by the verbs `escalate` and `bind`.

Models pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go and escalation_check.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.api import rbac
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.auth import MASTERS
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.kube import status
from kit.kube.rbac import EVERYTHING, Question, Rule, compacted, missing, text, words

ROLES = frozenset({f"roles.{rbac.GROUP}", f"clusterroles.{rbac.GROUP}"})
BINDINGS = frozenset({f"rolebindings.{rbac.GROUP}", f"clusterrolebindings.{rbac.GROUP}"})
ALL_NEEDED = "must have cluster-admin privileges to use the aggregationRule"


def check_role(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Refuse a role that grants what its writer has not."""
    if MASTERS in at.user.groups or _only_released(obj, old):
        return obj
    name = obj["metadata"].get("name", "")
    if rbac.allowed(context.store, at.user, _about(at, "escalate", at.resource.plural, name)):
        return obj
    why = _lacking(context, at, obj.get("rules") or ())
    gathers = obj.get("aggregationRule") or (old or {}).get("aggregationRule")
    if not why and gathers and _lacking(context, at, EVERYTHING):
        why = ALL_NEEDED
    if why:
        raise status.forbidden(at.resource, name, why)
    return obj


def check_binding(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Refuse a binding to a role that grants what its writer has not."""
    if MASTERS in at.user.groups or _only_released(obj, old):
        return obj
    to, name = obj["roleRef"], obj["metadata"].get("name", "")
    kind = "clusterroles" if to["kind"] == "ClusterRole" else "roles"
    if rbac.allowed(context.store, at.user, _about(at, "bind", kind, to["name"])):
        return obj
    role = rbac.role_of(context.store, to, at.namespace)
    if role is None:
        raise status.not_found(at.resource, to["name"])
    why = _lacking(context, at, role.get("rules") or ())
    if why:
        raise status.forbidden(at.resource, name, why)
    return obj


def _about(at: Attributes, verb: str, plural: str, name: str) -> Question:
    return Question(verb, rbac.GROUP, plural, namespace=at.namespace, name=name)


def _lacking(context: Context, at: Attributes, wanted: Sequence[Rule]) -> str:
    """Return the sentence that says which rules a user has not, "" when all are held."""
    held = rbac.rules(context.store, at.user, at.namespace)
    absent = missing([rule for rule, _ in held.rules], wanted)
    if not absent:
        return ""
    listed = "\n".join(sorted({text(rule) for rule in compacted(absent)}))
    who = f'user "{at.user.name}" (groups={words(at.user.groups)})'
    why = f"{who} is attempting to grant RBAC permissions not currently held:\n{listed}"
    if held.errors:
        why += f"; resolution errors: [{rbac.aggregate(held.complaints(at.resource.group_resource))}]"
    return why


def _only_released(obj: Obj, old: Obj | None) -> bool:
    """Return whether a write changes no more than what the garbage collector does: owners and finalizers."""
    return old is not None and _rest(obj) == _rest(old)


_PASSING = frozenset({"ownerReferences", "finalizers", "managedFields", "resourceVersion", "selfLink"})


def _rest(obj: Obj) -> dict[str, Any]:
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in _PASSING}}
