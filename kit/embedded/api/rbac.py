"""Who may do what: the administrator, the cluster's own components, and for all others Roles and ClusterRoles.

Models plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kit.embedded.api.attributes import Attributes, User
from kit.embedded.api.auth import MASTERS
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj, Store
from kit.kube import status

GROUP = "rbac.authorization.k8s.io"
OWN_USERS = ("system:kube-controller-manager", "system:kube-scheduler", "system:node:", "system:apiserver")
PUBLIC_PATHS = ("/version", "/version/", "/healthz", "/livez", "/readyz")
DISCOVERY_PATHS = ("/api", "/apis", "/openapi", "/version", "/healthz", "/livez", "/readyz")

Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """May a user do `verb`? About a resource, or with `path` about a URL."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


def authorize(context: Context, at: Attributes) -> None:
    """Refuse what the user's roles do not grant."""
    namespace = at.name if at.resource.group_resource == "namespaces" else at.namespace
    about = Question(at.verb, at.resource.group, at.resource.plural, at.subresource, namespace, at.name)
    if not allowed(context.store, at.user, about):
        raise status.denied(
            at.user.name, at.verb, at.resource, subresource=at.subresource, name=at.name, namespace=namespace
        )


def authorize_path(context: Context, user: User, verb: str, path: str) -> None:
    """Refuse a URL that is no resource."""
    if not allowed(context.store, user, Question(verb, path=path)):
        raise status.denied_path(user.name, verb, path)


def allowed(store: Store, user: User, about: Question) -> bool:
    """Return whether a user may."""
    if MASTERS in user.groups or user.name.startswith(OWN_USERS):
        return True
    if about.path and _open_path(user, about):
        return True
    return any(covers(rule, about) for rule, _ in rules(store, user, about.namespace))


def reason(store: Store, user: User, about: Question) -> str:
    """Return the sentence SubjectAccessReview gives for what is allowed, "" when none says so."""
    for rule, why in rules(store, user, about.namespace):
        if covers(rule, about):
            return why
    return ""


def _open_path(user: User, about: Question) -> bool:
    if about.verb not in {"get", "head"}:
        return False
    if about.path.startswith(PUBLIC_PATHS):
        return True
    return "system:authenticated" in user.groups and about.path.startswith(DISCOVERY_PATHS)


# What these groups may always: ClusterRoles and bindings the API server makes for itself (here without objects).
BASIC: tuple[tuple[str, str, Rule], ...] = (
    (
        "system:authenticated",
        "system:basic-user",
        {
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        },
    ),
    (
        "system:authenticated",
        "system:basic-user",
        {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
    ),
    (
        "system:authenticated",
        "system:public-info-viewer",
        {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
    ),
    ("system:masters", "cluster-admin", {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
    ("system:masters", "cluster-admin", {"verbs": ["*"], "nonResourceURLs": ["*"]}),
    (
        "system:authenticated",
        "system:discovery",
        {
            "verbs": ["get"],
            "nonResourceURLs": [
                "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/",
            ],
        },
    ),
)  # fmt: skip


def rules(store: Store, user: User, namespace: str) -> Iterator[tuple[Rule, str]]:
    """Yield the rules bound to a user in a namespace (of the whole cluster too), each with the sentence that says why."""
    for group, role, rule in BASIC:
        if group in user.groups:
            yield rule, f'RBAC: allowed by ClusterRoleBinding "{role}" of ClusterRole "{role}" to Group "{group}"'
    for binding in store.list(f"clusterrolebindings.{GROUP}"):
        yield from _bound(store, user, binding, "")
    if namespace:
        for binding in store.list(f"rolebindings.{GROUP}", namespace):
            yield from _bound(store, user, binding, namespace)


def _bound(store: Store, user: User, binding: Obj, namespace: str) -> Iterator[tuple[Rule, str]]:
    subject = next((one for one in binding.get("subjects") or () if _is(one, user, namespace)), None)
    if subject is None:
        return
    to = binding["roleRef"]
    kind = "clusterroles" if to["kind"] == "ClusterRole" else "roles"
    role = store.get(Key(f"{kind}.{GROUP}", "" if kind == "clusterroles" else namespace, to["name"]))
    name = binding["metadata"]["name"]
    where = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
    why = f'RBAC: allowed by {where} of {to["kind"]} "{to["name"]}" to {_subject_text(subject, namespace)}'
    for rule in (role or {}).get("rules") or ():
        yield rule, why


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


def covers(rule: Rule, about: Question) -> bool:
    """Return whether one rule grants what is asked."""
    if not _has(rule.get("verbs"), about.verb):
        return False
    if about.path:
        return any(_path_matches(url, about.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), about.group)
        and _covers_resource(rule.get("resources") or (), about)
        and (not names or about.name in names)
    )


def _covers_resource(resources: Any, about: Question) -> bool:
    whole = f"{about.resource}/{about.subresource}" if about.subresource else about.resource
    if "*" in resources or whole in resources:
        return True
    return bool(about.subresource) and f"*/{about.subresource}" in resources


def _has(words: Any, word: str) -> bool:
    return bool(words) and ("*" in words or word in words)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in {"*", path} or (pattern.endswith("*") and path.startswith(pattern[:-1]))
