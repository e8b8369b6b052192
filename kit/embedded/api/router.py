"""URL paths: which resource, object and subresource a path names, and which verb a method is there.

Models k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kit.kube.gotext import go_quoted
from kit.kube.kinds import Registry, Resource
from kit.kube.rbac import Question
from kit.kube.status import bad_request, method_not_allowed, unknown_path

COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
ITEM = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
SUB = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

# Subresources that both GET and POST open a stream to, whatever discovery says of their verbs.
STREAMS = frozenset({"exec", "attach", "portforward", "proxy"})


@dataclass(frozen=True, slots=True)
class Route:
    """What a resource path names."""

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""


def resource_path(path: str) -> bool:
    """Return whether a path lies in a group version: `/api/v1/...`, `/apis/apps/v1/...`."""
    parts = _split(path)
    return (len(parts) > 2 and parts[0] == "api") or (len(parts) > 3 and parts[0] == "apis" and bool(parts[1]))


def route(registry: Registry, method: str, path: str) -> Route:
    """Return what a resource path names; NotFound and MethodNotAllowed are raised as the API server says them."""
    plain = _unwatched(path)
    if plain is not None:
        return _watched(registry, method, plain)
    group, version, rest = _group_version(path)
    namespace, rest = _namespace(rest)
    plural, name, subresource, tail = (*(*rest, "", "", "", "")[:3], "/".join(rest[3:]))
    resource = registry.by_path(group, version, plural)
    if resource is None or (namespace and not resource.namespaced) or (tail and subresource != "proxy"):
        raise unknown_path()
    if resource.namespaced and not namespace and name:
        raise bad_request("Namespace parameter required.") if "//" in path else unknown_path()
    if name in {".", ".."}:
        raise bad_request(f"Name parameter invalid: {go_quoted(name)}: may not be '{name}'")
    if subresource:
        return Route(_sub_verb(method, resource, subresource), resource, namespace, name, subresource, tail)
    return Route(_verb(method, resource, namespace, name), resource, namespace, name)


def unrouted(method: str, path: str) -> Question:
    """Return what a resource path asks for by its form alone, whether there is such a resource or not."""
    group, _, rest = _group_version(_unwatched(path) or path)
    namespace, rest = _namespace(rest)
    plural, name, subresource = (*rest[:3], "", "", "")[:3]
    verb = (ITEM if name else COLLECTION).get(method, method.lower())
    namespace = name if plural == "namespaces" else namespace
    return Question(verb, group, plural, subresource, namespace, name)


def _unwatched(path: str) -> str | None:
    """Return a path of the old form `/api/v1/watch/...` without that word, None for other paths."""
    group, version, rest = _group_version(path)
    if rest[:1] != ["watch"] or len(rest) < 2:
        return None
    return "/".join(["", "apis", group, version, *rest[1:]] if group else ["", "api", version, *rest[1:]])


def _watched(registry: Registry, method: str, path: str) -> Route:
    """Return a watch in the old form: of a collection, or of one object by its name."""
    to = route(registry, "GET", path)
    if to.subresource or "watch" not in to.resource.verbs:
        raise unknown_path()
    if method != "GET":
        raise method_not_allowed()
    return replace(to, verb="watch")


def _split(path: str) -> list[str]:
    return path.strip("/").split("/")


def group_version(path: str) -> tuple[str, str]:
    """Return the group and version a resource path names."""
    return _group_version(path)[:2]


def _group_version(path: str) -> tuple[str, str, list[str]]:
    parts = _split(path)
    if parts[0] == "api":
        return "", parts[1], parts[2:]
    return parts[1], parts[2], parts[3:]


def _namespace(rest: list[str]) -> tuple[str, list[str]]:
    """Split `namespaces/NS/...`; `namespaces`, `namespaces/NS` and its own subresources are about the namespace itself."""
    if rest[0] != "namespaces" or len(rest) < 3 or (len(rest) == 3 and rest[2] in {"status", "finalize"}):
        return "", rest
    return rest[1], rest[2:]


def _verb(method: str, resource: Resource, namespace: str, name: str) -> str:
    methods, everywhere = ITEM if name else COLLECTION, resource.namespaced and not namespace
    verb = methods.get(method, "")
    if verb in resource.verbs and (verb == "list" or not everywhere):
        return verb
    if not set(resource.verbs) & ({"list"} if everywhere else set(methods.values())):
        raise unknown_path()  # nothing can be done there
    raise method_not_allowed()


def _sub_verb(method: str, resource: Resource, subresource: str) -> str:
    found = resource.subresource(subresource)
    verb = SUB.get(method, "")
    if found is None:
        raise unknown_path()
    if verb not in found.verbs and not (subresource in STREAMS and verb):
        raise method_not_allowed()
    return verb
