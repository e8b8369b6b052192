"""The `paths` of the OpenAPI v3 documents: what may be asked at each URL, in which words, and what is answered.

Made by rule of the registry, as the API server makes them of its storages. Models k8s.io/apiserver/pkg/endpoints/installer.go and
kube-openapi's builder3. Descriptions of parameters and operations are left out: nothing that reads the documents shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from kit.embedded.api import customdocs
from kit.embedded.api.negotiation import PATCHES
from kit.kube import metering, schema
from kit.kube.kinds import Resource, Subresource

META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
ANY: Final = "*/*"
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
STREAMS: Final = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")

_LISTING: Final = (
    "allowWatchBookmarks continue fieldSelector labelSelector limit pretty resourceVersion resourceVersionMatch "
    "sendInitialEvents shardSelector timeoutSeconds watch"
)
_WRITING: Final = "dryRun fieldManager fieldValidation pretty"
_DELETING: Final = "dryRun gracePeriodSeconds ignoreStoreReadErrorWithClusterBreakingPotential orphanDependents pretty propagationPolicy"
_STREAMING: Final = "container stderr stdin stdout tty"
TYPES: Final = {
    "boolean": "allowWatchBookmarks follow force ignoreStoreReadErrorWithClusterBreakingPotential insecureSkipTLSVerifyBackend "
    "orphanDependents previous sendInitialEvents stderr stdin stdout timestamps tty watch",
    "integer": "gracePeriodSeconds limit limitBytes ports sinceSeconds tailLines timeoutSeconds",
}
_TYPE: Final = {name: kind for kind, names in TYPES.items() for name in names.split()}
_SAID: Final = {200: "OK", 201: "Created", 202: "Accepted", 401: "Unauthorized"}


class Action(NamedTuple):
    """One way to ask: what the operation is called, its method, its query parameters, what it sends, and its codes."""

    word: str
    method: str
    query: str
    sends: str = ""
    codes: tuple[int, ...] = (200,)


# x-kubernetes-action -> how it is asked
ACTIONS: Final[Mapping[str, Action]] = {
    "list": Action("list", "get", _LISTING),
    "post": Action("create", "post", _WRITING, "object", (200, 201, 202)),
    "deletecollection": Action(
        "delete",
        "delete",
        f"continue {_DELETING} fieldSelector labelSelector limit resourceVersion resourceVersionMatch sendInitialEvents "
        "shardSelector timeoutSeconds",
        "options",
    ),
    "get": Action("read", "get", "pretty"),
    "put": Action("replace", "put", _WRITING, "object", (200, 201)),
    "patch": Action("patch", "patch", f"{_WRITING} force", "patch", (200, 201)),
    "delete": Action("delete", "delete", _DELETING, "options", (200, 202)),
    "watchlist": Action("watch", "get", _LISTING),
    "watch": Action("watch", "get", _LISTING),
}
# The same of custom resources, whose documents another builder makes.
CUSTOM: Final[Mapping[str, Action]] = {
    **ACTIONS,
    "deletecollection": Action("delete", "delete", _LISTING),
    "get": Action("read", "get", "pretty resourceVersion"),
    "patch": Action("patch", "patch", f"{_WRITING} force", "patch"),
}
STREAMED: Final = frozenset({"list", "watchlist", "watch"})
# verb -> (whether it is asked of the collection, the action it is)
VERBS: Final[Mapping[str, tuple[bool, str]]] = {
    "list": (True, "list"),
    "create": (True, "post"),
    "deletecollection": (True, "deletecollection"),
    "get": (False, "get"),
    "update": (False, "put"),
    "patch": (False, "patch"),
    "delete": (False, "delete"),
}
# Subresources that connect to something: methods, query parameters, the kind of their options.
CONNECTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "attach": ("get post", _STREAMING, "AttachOptions"),
    "exec": ("get post", f"command {_STREAMING}", "ExecOptions"),
    "portforward": ("get post", "ports", "PortForwardOptions"),
    "proxy": ("delete get head options patch post put", "path", "ProxyOptions"),
}
LOG: Final = (
    "container follow insecureSkipTLSVerifyBackend limitBytes pretty previous sinceSeconds stream tailLines timestamps"
)
# What is deleted is answered as it was, not by a Status.
_CORE: Final = "persistentvolumeclaims persistentvolumes pods podtemplates resourcequotas serviceaccounts services"
_CLAIMS: Final = "deviceclasses resourceclaims resourceclaimtemplates resourceslices"
_STORAGE: Final = "csidrivers csinodes storageclasses volumeattachments volumeattributesclasses"
RETURNED: Final = frozenset(
    (
        *_CORE.split(),
        *(f"{name}.resource.k8s.io" for name in _CLAIMS.split()),
        *(f"{name}.storage.k8s.io" for name in _STORAGE.split()),
    )
)
# Documents of one path: (path, name of the operation, tag, what is answered)
ROOTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "api": ("getCoreAPIVersions", "core", META + "APIVersions"),
    "apis": ("getAPIVersions", "apis", META + "APIGroupList"),
    "version": ("getCodeVersion", "version", "io.k8s.apimachinery.pkg.version.Info"),
    ".well-known/openid-configuration": ("getServiceAccountIssuerOpenIDConfiguration", "WellKnown", ""),
    "openid/v1/jwks": ("getServiceAccountIssuerOpenIDKeyset", "openid", ""),
}
_TEXT_ONLY: Final = {
    "version": (JSON,),
    ".well-known/openid-configuration": (JSON,),
    "openid/v1/jwks": ("application/jwk-set+json",),
}


def paths(document: str, resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the paths of a document (`api`, `apis/apps`, `apis/apps/v1` ...) that serves `resources`."""
    found: dict[str, dict[str, Any]] = {}
    known = list(resources)
    for path, method, operation in [*_root(document, known), *(one for kind in known for one in _of(kind))]:
        found.setdefault(path, {})[method] = operation
    return {path: _shared(path, found[path]) for path in sorted(found)}


def _root(document: str, resources: list[Resource]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    path, parts = f"/{document}/", document.split("/")
    group = parts[1] if parts[0] == "apis" and len(parts) > 1 else ""
    media: tuple[str, ...] = (JSON, PROTOBUF, YAML)
    if document in ROOTS:
        word, tag, returns = ROOTS[document]
        media = _TEXT_ONLY.get(document, media)
    elif len(parts) == 2 and group:
        word, tag, returns = f"get{_camel(group)}APIGroup", _tag(group), META + "APIGroup"
    else:
        if any(one.custom for one in resources):
            return
        version = parts[-1]
        word, tag = f"get{_camel(group)}{version.capitalize()}APIResources", f"{_tag(group)}_{version}"
        returns = META + "APIResourceList"
    yield path, "get", {"tags": [tag], "operationId": word, "responses": _responses((200,), media, _reference(returns))}


def _of(resource: Resource) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the operations of a kind: path, method, operation."""
    item = f"{resource.collection('{namespace}')}/{{name}}"
    for verb, (collective, action) in VERBS.items():
        if verb in resource.verbs:
            path = resource.collection("{namespace}") if collective else item
            yield path, ACTIONS[action].method, _operation(resource, action)
    if "list" in resource.verbs and resource.namespaced:
        yield resource.collection(), "get", _operation(resource, "list", everywhere=True)
    if "watch" in resource.verbs and not resource.custom:
        yield from _watches(resource, item)
    for sub in resource.subresources:
        yield from _below(resource, sub, f"{item}/{sub.name}")


def _watches(resource: Resource, item: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the old paths below /watch."""
    begin = f"{resource.path}/watch"
    yield begin + item.removeprefix(resource.path), "get", _operation(resource, "watch")
    collection = resource.collection("{namespace}").removeprefix(resource.path)
    yield begin + collection, "get", _operation(resource, "watchlist")
    if resource.namespaced:
        yield f"{begin}/{resource.plural}", "get", _operation(resource, "watchlist", everywhere=True)


def _below(resource: Resource, sub: Subresource, path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if sub.name in CONNECTS:
        methods, query, _ = CONNECTS[sub.name]
        for method in methods.split():
            yield path, method, _connect(resource, sub, method, query, "")
            if sub.name == "proxy":
                yield f"{path}/{{path}}", method, _connect(resource, sub, method, query, "WithPath")
        return
    for verb in sub.verbs:
        if verb in VERBS and not (VERBS[verb][0] and verb != "create"):
            action = VERBS[verb][1]
            yield path, ACTIONS[action].method, _operation(resource, action, sub)


def _operation(
    resource: Resource, name: str, sub: Subresource | None = None, *, everywhere: bool = False
) -> dict[str, Any]:
    action = (CUSTOM if resource.custom else ACTIONS)[name]
    body, logs = _schema(resource, sub), sub is not None and sub.name == "log"
    out: dict[str, Any] = {
        "tags": [f"{_tag(resource.group)}_{resource.version}"],
        "operationId": _name(resource, name, sub, everywhere=everywhere),
        "parameters": [_parameter(one) for one in (LOG if logs else action.query).split()],
    }
    if action.sends:
        out["requestBody"] = _sent(resource, action.sends, body)
    medias = _given(resource, name, logs=logs)
    out["responses"] = _responses(action.codes, medias, _answered(resource, name, body, logs=logs))
    return out | {"x-kubernetes-action": name, "x-kubernetes-group-version-kind": _said_kind(resource, sub)}


def _sent(resource: Resource, what: str, body: dict[str, Any]) -> dict[str, Any]:
    taken = (JSON, YAML) if resource.custom else (ANY,)
    if what == "options":
        return {"content": _content(taken, _reference(META + "DeleteOptions"))}
    if what == "patch":
        medias = customdocs.PATCHES if resource.custom else PATCHES
        return {"content": _content(sorted(medias), _reference(META + "Patch")), "required": True}
    return {"content": _content(taken, body), "required": True}


def _said_kind(resource: Resource, sub: Subresource | None) -> dict[str, str]:
    return _gvk(resource, None if resource.custom else sub)


def _given(resource: Resource, action: str, *, logs: bool) -> tuple[str, ...]:
    if resource.custom:
        return (JSON, YAML)
    return tuple(
        sorted((JSON, PROTOBUF, YAML, *(STREAMS if action in STREAMED else ()), *(("text/plain",) if logs else ())))
    )


def _answered(resource: Resource, action: str, body: dict[str, Any], *, logs: bool) -> dict[str, Any]:
    """Return the schema of an answer."""
    if logs:
        return {"type": "string"}
    if action == "list":
        return {"$ref": f"{body['$ref']}List"} if "$ref" in body else body
    if action in {"watch", "watchlist"}:
        return _reference(META + "WatchEvent")
    if action == "deletecollection" or (action == "delete" and resource.group_resource not in RETURNED):
        return _reference(META + "Status")
    return body


def _connect(resource: Resource, sub: Subresource, method: str, query: str, ending: str) -> dict[str, Any]:
    word = f"connect{_camel(resource.group)}{resource.version.capitalize()}{method.capitalize()}"
    kind = f"{resource.kind}{CONNECTS[sub.name][2]}"
    return {
        "tags": [f"{_tag(resource.group)}_{resource.version}"],
        "operationId": f"{word}{_where(resource)}{resource.kind}{sub.name.capitalize()}{ending}",
        "parameters": [_parameter(one) for one in query.split()],
        "responses": _responses((200,), (ANY,), {"type": "string"}),
        "x-kubernetes-action": "connect",
        "x-kubernetes-group-version-kind": {"group": resource.group, "version": resource.version, "kind": kind},
    }


def _name(resource: Resource, action: str, sub: Subresource | None, *, everywhere: bool) -> str:
    """Return the name of an operation, after which generated clients name their methods."""
    word = ACTIONS[action].word
    version = f"{_camel(resource.group)}{resource.version[:1].upper()}{resource.version[1:]}"
    among = "Collection" if action == "deletecollection" else ""
    where = "" if everywhere else _where(resource)
    below = sub.name.capitalize() if sub else ""
    ending = "List" if action == "watchlist" else ""
    return f"{word}{version}{among}{where}{resource.kind}{below}{ending}{'ForAllNamespaces' if everywhere else ''}"


def _where(resource: Resource) -> str:
    return "Namespaced" if resource.namespaced else ""


def _camel(group: str) -> str:
    return "".join(part.capitalize() for part in group.removesuffix(".k8s.io").split(".")) if group else "Core"


def _tag(group: str) -> str:
    camel = _camel(group)
    return camel[:1].lower() + camel[1:]


def _gvk(resource: Resource, sub: Subresource | None) -> dict[str, str]:
    """Return whose kind is sent; one of the resource's own group version says only its kind."""
    other = sub is not None and sub.version
    group, version = (sub.group, sub.version) if sub is not None and other else (resource.group, resource.version)
    return {"group": group, "version": version, "kind": sub.kind if sub is not None and sub.kind else resource.kind}


def _schema(resource: Resource, sub: Subresource | None) -> dict[str, Any]:
    """Return the reference to what is sent and answered."""
    gvk = _gvk(resource, sub)
    if resource.custom and gvk["kind"] == resource.kind:
        return _reference(customdocs.name(resource))
    if resource.group == metering.GROUP:
        return _reference(f"{metering.DEFINITIONS}{resource.kind}")
    node = schema.of(f"{gvk['group']}/{gvk['version']}".lstrip("/"), gvk["kind"])
    return _reference(node.name) if node else {"type": "object"}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"{schema.REF}{name}"} if name else {"type": "string"}


def _content(medias: Iterable[str], body: dict[str, Any]) -> dict[str, Any]:
    return {media: {"schema": body} for media in medias}


def _responses(codes: Iterable[int], medias: Iterable[str], body: dict[str, Any]) -> dict[str, Any]:
    content = _content(medias, body)
    out: dict[str, Any] = {str(code): {"description": _SAID[code], "content": content} for code in codes}
    return out | {"401": {"description": _SAID[401]}}


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": _TYPE.get(name, "string"), "uniqueItems": True}}


def _shared(path: str, operations: dict[str, Any]) -> dict[str, Any]:
    """Return the operations of a path; parameters that all have stand once, beside those of the path itself."""
    lists = [one.pop("parameters", []) for one in operations.values()]
    common = [one for one in lists[0] if all(one in others for others in lists)]
    for operation, own in zip(operations.values(), lists, strict=True):
        if left := sorted((one for one in own if one not in common), key=lambda one: str(one["name"])):
            operation["parameters"] = left
    inside = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}
        for name in ("name", "namespace", "path")
        if f"{{{name}}}" in path
    ]
    shared = sorted((*common, *inside), key=lambda one: (str(one["name"]), str(one["in"])))
    return {**operations, **({"parameters": shared} if shared else {})}
