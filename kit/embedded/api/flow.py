"""Priority and fairness, as far as answers show it: which FlowSchema a request belongs to, and that schema's priority level.

Models k8s.io/apiserver/pkg/util/flowcontrol (rule.go, apf_filter.go) and the X-Kubernetes-Pf headers. Nobody waits here, as requests are
not queued by priority.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit.embedded.api.attributes import User
from kit.embedded.core.store import Event, Key, Obj, Store
from kit.kube.rbac import Question

GROUP = "flowcontrol.apiserver.k8s.io"
SCHEMAS, LEVELS = f"flowschemas.{GROUP}", f"prioritylevelconfigurations.{GROUP}"
HEADERS = ("X-Kubernetes-Pf-Flowschema-Uid", "X-Kubernetes-Pf-Prioritylevel-Uid")
KEPT = 4096
Headers = tuple[tuple[str, str], ...]
Asked = tuple[str, tuple[str, ...], str, str, str, str, str]


class Flow:
    """The schemas in the order in which they are asked, with what has been found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Asked, Headers] = {}
        self._order: list[tuple[Obj, Headers]] | None = None
        store.listeners.append(self._changed)

    def headers(self, user: User, about: Question) -> Headers:
        """Return what an answer says of the request's schema and level; nothing while there are none."""
        resource = f"{about.resource}/{about.subresource}" if about.subresource else about.resource
        asked = (user.name, user.groups, about.verb, about.group, resource, about.namespace, about.path)
        found = self._known.get(asked)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            schemas = self._schemas()
            found = self._known[asked] = next((told for schema, told in schemas if _matches(schema, asked)), ())
        return found

    def _changed(self, event: Event) -> None:
        if event.key.resource in {SCHEMAS, LEVELS}:
            self._known.clear()
            self._order = None

    def _schemas(self) -> list[tuple[Obj, Headers]]:
        """Return the schemas whose level is there, those that go first in front."""
        if self._order is None:
            listed = sorted(self._store.list(SCHEMAS), key=_place)
            levels = (
                self._store.get(Key(LEVELS, "", schema["spec"]["priorityLevelConfiguration"]["name"]))
                for schema in listed
            )
            pairs = zip(listed, levels, strict=True)
            self._order = [(schema, _headers(schema, level)) for schema, level in pairs if level is not None]
        return self._order


def _headers(*objects: Obj) -> Headers:
    return tuple(zip(HEADERS, (obj["metadata"]["uid"] for obj in objects), strict=True))


def _place(schema: Obj) -> tuple[int, str]:
    return schema["spec"].get("matchingPrecedence", 1000), schema["metadata"]["name"]


def _matches(schema: Obj, asked: Asked) -> bool:
    return any(_rule(rule, asked) for rule in schema["spec"].get("rules") or ())


def _rule(rule: Mapping[str, Any], asked: Asked) -> bool:
    name, groups, verb, group, resource, namespace, path = asked
    if not any(_subject(one, name, groups) for one in rule.get("subjects") or ()):
        return False
    if path:
        others = rule.get("nonResourceRules") or ()
        return any(_holds(one["verbs"], verb) and _covers(one["nonResourceURLs"], path) for one in others)
    return any(
        _holds(one["verbs"], verb)
        and _holds(one["apiGroups"], group)
        and _holds(one["resources"], resource)
        and (_holds(one.get("namespaces") or (), namespace) if namespace else one.get("clusterScope", False))
        for one in rule.get("resourceRules") or ()
    )


def _holds(said: Sequence[str], value: str) -> bool:
    return value in said or "*" in said


def _covers(paths: Sequence[str], path: str) -> bool:
    return any(one in {"*", path} or (one.endswith("/*") and path.startswith(one[:-1])) for one in paths)


def _subject(subject: Mapping[str, Any], name: str, groups: Sequence[str]) -> bool:
    """Return whether a user is meant: "*" is everyone of the kind."""
    if subject["kind"] == "User":
        return subject["user"]["name"] in {"*", name}
    if subject["kind"] == "Group":
        return subject["group"]["name"] == "*" or subject["group"]["name"] in groups
    account = subject["serviceAccount"]
    head = f"system:serviceaccount:{account['namespace']}:"
    return name.startswith(head) if account["name"] == "*" else name == head + account["name"]
