"""What policies and webhooks are asked about: a request, its objects, the parameters of a binding.

Models k8s.io/apiserver/pkg/admission/plugin/policy/{generic/policy_dispatcher.go,matching/matching.go} and plugin/cel/condition.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.embedded.api import attributes, rbac
from kit.embedded.api.attributes import Attributes, User
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import shown
from kit.embedded.core.store import Key, Obj, Store
from kit.kube.admission.rules import About, first, matched, selects
from kit.kube.rbac import Question
from kit.kube.selectors import of_object

OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}
META = "meta.k8s.io/v1"
CONNECTED = frozenset({"exec", "attach", "portforward", "proxy"})


class ConfigurationError(Exception):
    """A binding that can't be used as it is, or with `policy` the whole policy."""

    def __init__(self, message: str, *, policy: bool = False) -> None:
        super().__init__(f"failed to configure {'policy' if policy else 'binding'}: {message}")
        self.policy = policy


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what rules see of it and the objects it is about, in the version it was made in."""

    at: Attributes
    about: About
    obj: Obj | None
    old: Obj | None
    namespace: Obj | None
    store: Store


def asked(context: Context, at: Attributes, obj: Obj | None, old: Obj | None) -> Asked:
    """Return a request that makes `obj` of `old`: None before it is made, and after it is deleted."""
    operation = "CREATE" if old is None else "UPDATE" if obj else "DELETE"
    if at.subresource in CONNECTED:
        operation = "CONNECT"
    resource = at.resource
    versions = tuple(
        (group, version)
        for group in ({"", "events.k8s.io"} if at.key.resource == "events" else {resource.group})
        for version in context.registry.groups().get(group, ())
        if (group, version) != (resource.group, resource.version)
        and context.registry.by_path(group, version, resource.plural) is not None
    )
    name = "" if at.collective else at.name or str(((obj or {}).get("metadata") or {}).get("name") or "")
    inside = name if resource.group_resource == "namespaces" else at.namespace
    about = About(operation, resource.group, resource.version, resource.plural, at.subresource, inside, name, versions)
    space = context.store.get(Key("namespaces", "", at.namespace)) if at.namespace else None
    return Asked(at, about, _in_version(at, obj), _in_version(at, old), space, context.store)


def _in_version(at: Attributes, obj: Obj | None) -> Obj | None:
    if at.subresource == "scale" and obj is not None:
        from kit.embedded.api.scaling import scale_of  # which writes, and so imports admission itself

        return scale_of(obj, at.resource)
    return obj if obj is None or obj.get("kind") != at.resource.kind else shown(at.resource, obj)


def meant(asked: Asked, match: Mapping[str, Any]) -> About | None:
    """Return how a policy, binding or webhook sees a request it is about, None when it is not about it."""
    if not selects(match.get("namespaceSelector"), _space_labels(asked)) and not _outside(asked):
        return None
    if not selects(match.get("objectSelector"), _labels(asked.obj), _labels(asked.old)):
        return None
    if first(match.get("excludeResourceRules") or (), asked.about):
        return None
    rules = match.get("resourceRules")
    return asked.about if not rules else matched(rules, asked.about, match.get("matchPolicy") or "Equivalent")


def _outside(asked: Asked) -> bool:
    return not asked.about.namespace


def _space_labels(asked: Asked) -> Mapping[str, str] | None:
    if asked.about.resource == "namespaces" and not asked.at.subresource:
        return _labels(asked.obj or asked.old)
    return _labels(asked.namespace)


def _labels(obj: Obj | None) -> Mapping[str, str] | None:
    return None if obj is None else (obj.get("metadata") or {}).get("labels") or {}


def called(asked: Asked) -> str:
    """Return what refusals call the object."""
    obj = asked.obj if asked.obj is not None or asked.at.collective else asked.old
    return asked.about.name or ("Unknown" if obj is None else attributes.called(obj))


def values(asked: Asked, about: About, params: Any = None) -> dict[str, Any]:
    """Return what expressions may name, as CEL has it."""
    from kit.kube.admission.expressions import NAMESPACE  # only what rules pays for the engine
    from kit.kube.cel.values import of_json

    seen = {"object": converted(asked.obj, about), "oldObject": converted(asked.old, about)}
    return {
        **{name: of_json(value) for name, value in seen.items()},
        "request": of_json(request(asked, about)),
        "namespaceObject": of_json(asked.namespace, NAMESPACE),
        "params": of_json(params),
        **_authorizer(asked),
    }


def _authorizer(asked: Asked) -> dict[str, Any]:
    """Return who decides what the one who asks, or a service account, may do."""
    from kit.kube.cel.library.authorizing import Account, Answer, Authorizer, resource_check

    def decide(account: Account, about: Question) -> Answer:
        found = rbac.verdict(asked.store, _as(account) if account else asked.at.user, about)
        return Answer(found.allowed, found.reason)

    by, about = Authorizer(decide), rbac.question(asked.at)
    same = resource_check(
        by,
        group=about.group,
        resource=about.resource,
        subresource=about.subresource,
        namespace=about.namespace,
        name=about.name,
    )
    return {"authorizer": by, "authorizer.requestResource": same}


def _as(account: tuple[str, str]) -> User:
    namespace, name = account
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups)


def converted(obj: Obj | None, about: About) -> Obj | None:
    """Return an object in the version the rules ask for: kinds that serve several differ in nothing else but for Events."""
    if obj is None or about.subresource:
        return obj
    return {**obj, "apiVersion": f"{about.group}/{about.version}" if about.group else about.version}


def request(asked: Asked, about: About) -> dict[str, Any]:
    """Return an AdmissionRequest's part about the request itself."""
    at = asked.at
    sub, resource = at.sub, at.resource
    kind = (resource.group, resource.version, resource.kind)
    if sub:
        kind = (sub.group, sub.version, sub.kind) if sub.version else (*kind[:2], sub.kind)
    inner = kind if sub and sub.version else (about.group, about.version, kind[2])
    told = {
        "kind": dict(zip(("group", "version", "kind"), inner, strict=True)),
        "resource": {"group": about.group, "version": about.version, "resource": about.resource},
        "subResource": about.subresource,
        "requestKind": dict(zip(("group", "version", "kind"), kind, strict=True)),
        "requestResource": {"group": resource.group, "version": resource.version, "resource": resource.plural},
        "requestSubResource": about.subresource,
        "name": about.name,
        "namespace": about.namespace,
        "operation": about.operation,
        "userInfo": _user(at),
        "dryRun": at.dry_run,
        "options": _options(at, about.operation) if about.operation in OPTIONS else None,
    }
    return {key: value for key, value in told.items() if value != ""}  # as `omitempty` leaves them out


def _user(at: Attributes) -> dict[str, Any]:
    user = at.user
    extra = {key: list(several) for key, several in user.extra.items()}
    said = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra}
    return {key: value for key, value in said.items() if value}


def _options(at: Attributes, operation: str) -> dict[str, Any]:
    out: dict[str, Any] = {"kind": OPTIONS[operation], "apiVersion": META}
    if at.dry_run:
        out["dryRun"] = ["All"]
    for name in ("fieldManager", "fieldValidation"):
        if at.query.get(name) and operation != "DELETE":
            out[name] = at.query[name]
    return out


# --- bindings and parameters ---


def bound(context: Context, asked: Asked, policies: str, bindings: str) -> Iterator[tuple[Obj, Obj, About]]:
    """Return the policies about a request, by name, each with its bindings that are too."""
    listed = context.store.list(bindings)
    for policy in context.store.list(policies):
        about = meant(asked, policy["spec"].get("matchConstraints") or {})
        if about is None:
            continue
        for binding in listed:
            spec = binding["spec"]
            if spec.get("policyName") == policy["metadata"]["name"] and meant(asked, spec.get("matchResources") or {}):
                yield policy, binding, about


def parameters(context: Context, asked: Asked, policy: Obj, binding: Obj) -> Sequence[Obj | None]:
    """Return the objects a binding's policy is asked with, None for one without; raise ConfigurationError."""
    kind = policy["spec"].get("paramKind")
    ref = binding["spec"].get("paramRef")
    if not kind:
        return (None,)
    resource = context.registry.by_kind(kind["apiVersion"], kind["kind"])
    if resource is None:
        raise ConfigurationError(_unknown(kind), policy=True)
    if not ref:
        return ({},)
    space = ref.get("namespace") or ""
    if resource.namespaced and not space:
        space = asked.about.namespace
        if not space:
            raise ConfigurationError(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            )
    elif not resource.namespaced and space:
        raise ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
    where = Attributes("get", resource, space, ref.get("name") or "").key
    found: Sequence[Obj]
    if ref.get("name"):
        one = context.store.get(where)
        found = () if one is None else (one,)
    else:
        chosen = of_object(ref.get("selector"))
        listed = context.store.list(where.resource, space if resource.namespaced else None)
        found = [one for one in listed if chosen.matches(one["metadata"].get("labels"))]
    if not found and ref.get("parameterNotFoundAction") == "Deny":
        raise ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction")
    return [{**shown(resource, one)} for one in found]


def _unknown(kind: Mapping[str, str]) -> str:
    group, _, version = kind["apiVersion"].rpartition("/")
    return f"failed to find resource referenced by paramKind: '{group}/{version}, Kind={kind['kind']}'"
