"""Who may do what: Roles and ClusterRoles as they are bound; for nodes what they need; all for `system:masters`.

Models plugin/pkg/auth/authorizer/rbac, pkg/registry/rbac/validation/rule.go and authorizerfactory.NewPrivilegedGroups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.api import nodeauth
from kit.embedded.api.attributes import Attributes, User
from kit.embedded.api.auth import MASTERS
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj, Store
from kit.kube import status
from kit.kube.rbac import Question, Rule, allows
from kit.kube.status import Named

GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is allowed, and the sentence that says why, "" when there is none."""

    allowed: bool
    reason: str = ""


@dataclass(slots=True)
class Held:
    """The rules somebody has in a place, each with the sentence that says why; `errors` are roles that are bound but not there."""

    rules: list[tuple[Rule, str]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)  # kind and name of a role

    def complaints(self, resource: str = "") -> list[str]:
        """Return the errors as texts; about `resource` where the one who asks calls every role so."""
        return [f'{resource or f"{kind.lower()}.{GROUP}"} "{name}" not found' for kind, name in self.errors]


def authorize(context: Context, at: Attributes) -> None:
    """Refuse what the user may not do."""
    about = question(at)
    found = verdict(context.store, at.user, about)
    if not found.allowed:
        raise denied(at.user, about, at.resource, found.reason)


def question(at: Attributes) -> Question:
    """Return what a request asks for."""
    namespace = at.name if at.resource.group_resource == "namespaces" else at.namespace
    selector = at.query.get("fieldSelector", "")
    return Question(
        at.verb, at.resource.group, at.resource.plural, at.subresource, namespace, at.name, selector=selector
    )


def denied(user: User, about: Question, resource: Named, why: str) -> Exception:
    """Return the refusal of what a user asks for."""
    refused = status.denied(
        user.name, about.verb, resource, subresource=about.subresource, name=about.name, namespace=about.namespace
    )
    if why:
        refused.message += f": {why}"
    return refused


def authorize_path(context: Context, user: User, verb: str, path: str) -> None:
    """Refuse a URL that is no resource."""
    found = verdict(context.store, user, Question(verb, path=path))
    if not found.allowed:
        refused = status.denied_path(user.name, verb, path)
        refused.message += f": {found.reason}" if found.reason else ""
        raise refused


def allowed(store: Store, user: User, about: Question) -> bool:
    """Return whether a user may."""
    return verdict(store, user, about).allowed


def verdict(store: Store, user: User, about: Question) -> Verdict:
    """Return whether a user may, and why."""
    if MASTERS in user.groups:
        return Verdict(True)
    node = nodeauth.name_of(user)
    why = nodeauth.refusal(store, node, about) if node else ""
    if node and not why:
        return Verdict(True)
    held = rules(store, user, about.namespace)
    for rule, because in held.rules:
        if allows(rule, about):
            return Verdict(True, because)
    reasons = [f"node: {why}"] if why and why != nodeauth.UNKNOWN else []
    if held.errors:
        reasons.append(f"rbac: RBAC: {aggregate(held.complaints())}")
    return Verdict(False, "\n".join(reasons))


def aggregate(errors: list[str]) -> str:
    """Return errors as Go's aggregate prints them."""
    return errors[0] if len(errors) == 1 else f"[{', '.join(dict.fromkeys(errors))}]"


def rules(store: Store, user: User, namespace: str) -> Held:
    """Return the rules bound to a user in a namespace, those of the whole cluster first."""
    held = Held()
    for binding in store.list(f"clusterrolebindings.{GROUP}"):
        _add(held, store, user, binding, "")
    if namespace:
        for binding in store.list(f"rolebindings.{GROUP}", namespace):
            _add(held, store, user, binding, namespace)
    return held


def _add(held: Held, store: Store, user: User, binding: Obj, namespace: str) -> None:
    subject = next((one for one in binding.get("subjects") or () if _is(one, user, namespace)), None)
    if subject is None:
        return
    to = binding["roleRef"]
    role = role_of(store, to, namespace)
    if role is None:
        held.errors.append((to["kind"], to["name"]))
        return
    name = binding["metadata"]["name"]
    where = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
    why = f'RBAC: allowed by {where} of {to["kind"]} "{to["name"]}" to {_subject_text(subject, namespace)}'
    held.rules += [(rule, why) for rule in role.get("rules") or ()]


def role_of(store: Store, to: Mapping[str, Any], namespace: str) -> Obj | None:
    """Return the role that a binding refers to."""
    if to["kind"] == "ClusterRole":
        return store.get(Key(f"clusterroles.{GROUP}", "", to["name"]))
    return store.get(Key(f"roles.{GROUP}", namespace, to["name"]))


def _is(subject: Mapping[str, Any], user: User, namespace: str) -> bool:
    match subject.get("kind"):
        case "User":
            return bool(user.name == subject["name"])
        case "Group":
            return subject["name"] in user.groups
        case "ServiceAccount":
            return user.name == f"system:serviceaccount:{subject.get('namespace') or namespace}:{subject['name']}"
    return False


def _subject_text(subject: Mapping[str, Any], namespace: str) -> str:
    name = subject["name"]
    if subject["kind"] == "ServiceAccount":
        name = f"{name}/{subject.get('namespace') or namespace}"
    return f'{subject["kind"]} "{name}"'
