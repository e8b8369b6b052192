"""ResourceQuota: refuses what is beyond a namespace's quotas, and notes in them what is used by whatever is let in.

Models k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go. The quota controller counts anew what goes away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kit.embedded.api import rules
from kit.embedded.api.attributes import SERVER, Attributes, called
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj
from kit.kube import quotas, resources, status
from kit.kube.quantities import Quantity
from kit.kube.resources import Amounts

QUOTAS = "resourcequotas"
# Kinds whose changes may use more than before; of all others only new objects count.
GROWING = frozenset({"services", "persistentvolumeclaims"})
NEVER = frozenset({"events", "bindings"})


def check(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse an object that a quota has no room for."""
    if not _counts(context, at, old):
        return
    name = called(obj) if old is None else at.name
    more = _more(at, obj, old)
    for quota in _about(context, at, obj):
        _check(at, quota, name, obj, more)


def charge(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Note in the quotas what an object that is about to be kept uses."""
    if at.dry_run or not _counts(context, at, old):
        return
    more = _more(at, obj, old)
    for quota in _about(context, at, obj):
        asked = _within(more, quota)
        if any(asked.values()):
            _note(context, quota, asked)


def _counts(context: Context, at: Attributes, old: Obj | None) -> bool:
    if at.subresource or not at.namespace or at.key.resource in NEVER:
        return False
    if old is not None and at.key.resource not in GROWING:
        return False
    return bool(context.store.count(QUOTAS)) and bool(context.store.list(QUOTAS, at.namespace))


def _more(at: Attributes, obj: Obj, old: Obj | None) -> Amounts:
    """Return what an object uses more than before."""
    now = quotas.usage(at.key.resource, obj)
    if old is None:
        return now
    before = quotas.usage(at.key.resource, old)
    grown = {name: amount - before[name] if name in before else amount for name, amount in now.items()}
    return {name: amount for name, amount in grown.items() if amount.nano > 0}


def _about(context: Context, at: Attributes, obj: Obj) -> Iterator[Obj]:
    for quota in context.store.list(QUOTAS, at.namespace):
        hard = (quota.get("spec") or {}).get("hard") or {}
        if any(quotas.counted(name) == at.key.resource for name in hard) and quotas.matches(
            quota, at.key.resource, obj
        ):
            yield quota


def _hard(quota: Obj) -> Mapping[str, str]:
    found: Mapping[str, str] = (quota.get("status") or {}).get("hard") or {}
    return found


def _used(quota: Obj) -> Mapping[str, str]:
    found: Mapping[str, str] = (quota.get("status") or {}).get("used") or {}
    return found


def _within(more: Amounts, quota: Obj) -> Amounts:
    return {name: amount for name, amount in more.items() if name in _hard(quota)}


def _check(at: Attributes, quota: Obj, name: str, obj: Obj, more: Amounts) -> None:
    title, hard, used = quota["metadata"]["name"], _hard(quota), _used(quota)
    if at.key.resource == "pods":
        silent = quotas.unsaid(obj, hard)
        if silent:
            listed = "; ".join(f"{key} for: {','.join(names)}" for key, names in silent.items())
            raise status.forbidden(at.resource, name, f"failed quota: {title}: must specify {listed}")
    unknown = sorted(key for key in hard if quotas.counted(key) == at.key.resource and key not in used)
    if unknown:
        why = f"status unknown for quota: {title}, resources: {','.join(unknown)}"
        raise status.forbidden(at.resource, name, why)
    asked = _within(more, quota)
    over = [key for key, amount in asked.items() if amount and _beyond(hard[key], used[key], amount)]
    if over:
        parts = ({key: asked[key] for key in over}, {key: used[key] for key in over}, {key: hard[key] for key in over})
        requested, had, limited = (quotas.shown(part) for part in parts)
        why = f"exceeded quota: {title}, requested: {requested}, used: {had}, limited: {limited}"
        raise status.forbidden(at.resource, name, why)


def _beyond(hard: str, used: str, amount: Quantity) -> bool:
    return Quantity.parse(hard) < Quantity.parse(used) + amount


def _note(context: Context, quota: Obj, asked: Amounts) -> None:
    total = resources.amounts(_used(quota))
    resources.add(total, asked)
    meta = quota["metadata"]
    found = {**quota["status"], "used": {key: str(total[key]) for key in sorted(total)}}
    resource = context.registry.by_group_resource(QUOTAS)
    if resource is None:
        return
    at = Attributes("update", resource, meta["namespace"], meta["name"], "status", SERVER, "kube-apiserver")
    new = rules.owned(context, at, quota, {**quota, "status": found})
    context.store.commit(Key(QUOTAS, meta["namespace"], meta["name"]), {**new, "metadata": dict(new["metadata"])})
