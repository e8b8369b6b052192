"""Effects of controllers, carried out by the same verbs as HTTP requests, without their bytes.

The users are the cluster's own components, so no authorization is asked; admission, strategies and field owners are.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api import auth, counting, deleting, patching, rules, subresources, writing
from kit.embedded.api.attributes import SERVER, Attributes, User
from kit.embedded.api.context import Context
from kit.embedded.core.controller import Controller
from kit.embedded.core.effects import Call, Create, Delete, Effect, Patch, Update
from kit.embedded.core.store import Key, Obj
from kit.errors import Status
from kit.kube import patches, status

MANAGER = "kube-apiserver"


def apply(context: Context, controller: Controller, effect: Effect) -> Any:
    """Carry out one effect; the object it leaves, or a Status is raised."""
    at = _attributes(context, controller, effect)
    about = counting.about(at, applied=isinstance(effect, Patch) and effect.kind == "apply")
    try:
        done = _carried(context, at, effect)
    except Status as error:
        context.counts.answered(about, error.code)
        raise
    context.counts.answered(about, 201 if at.verb == "create" else 200)
    return done


def _attributes(context: Context, controller: Controller, effect: Effect) -> Attributes:
    user, manager = user_of(controller), controller.manager
    match effect:
        case Create(obj=obj):
            at = _about(context, "create", obj, user, manager)
            at.name = ""
            return at
        case Update(obj=obj, subresource=subresource):
            return _about(context, "update", obj, user, manager, subresource)
        case Patch(key=key, subresource=subresource):
            return _at(context, "patch", key, user, manager, subresource)
        case Delete(key=key):
            return _at(context, "delete", key, user, manager)
        case Call(key=key, subresource=subresource):
            return _at(context, "create", key, user, manager, subresource)
    raise Status("InternalError", f"{controller.name} yielded {effect!r}")


def _carried(context: Context, at: Attributes, effect: Effect) -> Any:
    match effect:
        case Create(obj=obj):
            return writing.create(context, at, rules.defaulted(obj)).obj
        case Update(obj=obj):
            return writing.update(context, at, lambda old: rules.defaulted(obj)).obj
        case Patch(patch=patch, kind=kind):
            return _patch(context, at, patch, kind)
        case Delete(options=options):
            return deleting.delete(context, at, deleting.Options.of(options)).record.obj
        case Call(obj=obj):
            return subresources.call(context, at, obj)
    return None


def exists(context: Context, obj: Obj) -> bool:
    """Return whether there is an object of that kind and name."""
    return context.store.record(_about(context, "get", obj, SERVER, MANAGER).key) is not None


def create_at_start(context: Context, obj: Obj, manager: str = MANAGER) -> Obj:
    """Make one of the objects a cluster begins with; a status it brings is kept."""
    at = _about(context, "create", obj, SERVER, manager)
    at.name = ""
    made = writing.create(context, at, rules.defaulted(obj)).obj
    if obj.get("status") and obj["status"] != made.get("status"):
        late = _about(context, "update", made, SERVER, manager, "status")
        made = writing.update(context, late, lambda old: {**old, "status": obj["status"]}).obj
    return made


def user_of(controller: Controller) -> User:
    """Return the user a controller writes as, with the groups its name brings."""
    name = controller.user
    if name == auth.ADMIN.name:
        return auth.ADMIN
    if name.startswith("system:node:"):
        return User(name, ("system:nodes", "system:authenticated"))
    if name.startswith("system:serviceaccount:"):
        namespace = name.split(":")[2]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return User(name, groups)
    return User(name, ("system:authenticated",))


def _patch(context: Context, at: Attributes, patch: Any, kind: str) -> Obj:
    if kind == "apply":
        return patching.applied(context, at, patch, force=True)[0].obj
    decoded = patches.Decoded(patch)
    return writing.update(context, at, lambda old: patching.changed(at, patching.MEDIA[kind], old, decoded)).obj


def _about(context: Context, verb: str, obj: Obj, user: User, manager: str, subresource: str = "") -> Attributes:
    resource = context.registry.by_kind(obj["apiVersion"], obj["kind"])
    if resource is None:
        raise status.bad_request(f'no kind "{obj["kind"]}" is registered for version "{obj["apiVersion"]}"')
    meta = obj["metadata"]
    return Attributes(verb, resource, meta.get("namespace", ""), meta.get("name", ""), subresource, user, manager)


def _at(context: Context, verb: str, key: Key, user: User, manager: str, subresource: str = "") -> Attributes:
    resource = context.registry.by_group_resource(key.resource)
    if resource is None:
        raise status.unknown_path()
    return Attributes(verb, resource, key.namespace, key.name, subresource, user, manager)
