"""The roles and bindings of every cluster: `view`, `edit`, `admin`, `cluster-admin`, `system:*`, kept as ordinary objects.

Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy and pkg/registry/rbac/rest/storage_rbac.go (PostStartHook). They come from a
recorded table and go into the store as they are, past the verbs: a hundred and forty writes would cost more than the rest of a start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from kit.embedded.api.context import Context
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Key, Obj
from kit.kube.data import load
from kit.kube.fields import FieldSet

GROUP = "rbac.authorization.k8s.io"
VERSION = f"{GROUP}/v1"
RESOURCES = {
    "ClusterRole": f"clusterroles.{GROUP}",
    "ClusterRoleBinding": f"clusterrolebindings.{GROUP}",
    "Role": f"roles.{GROUP}",
    "RoleBinding": f"rolebindings.{GROUP}",
}
RULE = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
LABEL = "kubernetes.io/bootstrapping"
ANNOTATION = "rbac.authorization.kubernetes.io/autoupdate"
SALT = 0x7262_6163  # their uids are drawn apart: what else a cluster draws does not depend on how many roles there are


def keep(context: Context) -> None:
    """Put those into the store that are not there: all of them at a cluster's beginning."""
    ids, now = Ids(context.ids.seed ^ SALT), context.clock.text()
    for key, obj, owned in expected():
        uid = ids.uid()
        if context.store.record(key) is None:
            context.store.commit(key, _made(obj, owned, uid, now))


@cache
def expected() -> Sequence[tuple[Key, Obj, FieldSet]]:
    """Return them, without what the API server adds to an object, and which fields of each it owns: only to be read."""
    return [(key, obj, fields(obj)) for key, obj in _listed()]


def _listed() -> Iterator[tuple[Key, Obj]]:
    table = load("rbac")
    for kind, resource in RESOURCES.items():
        build = _binding if kind.endswith("Binding") else _role
        for namespace, name, labels, *said in table[kind]:
            meta = {"name": name, **({"namespace": namespace} if namespace else {})}
            meta |= {"labels": {LABEL: "rbac-defaults", **labels}, "annotations": {ANNOTATION: "true"}}
            yield (
                Key(resource, namespace, name),
                {"kind": kind, "apiVersion": VERSION, "metadata": meta, **build(*said)},
            )


def _role(rows: list[list[list[str]]], aggregation: Obj | None) -> Obj:
    rules = [{key: part for key, part in zip(RULE, row, strict=False) if part} for row in rows]
    return {"rules": None, "aggregationRule": aggregation} if aggregation else {"rules": rules}


def _binding(to: list[str], subjects: list[list[str]]) -> Obj:
    listed = [_subject(*one) for one in subjects]
    return {
        **({"subjects": listed} if listed else {}),
        "roleRef": {"apiGroup": GROUP, "kind": to[0], "name": to[1]},
    }


def _subject(kind: str, name: str, namespace: str) -> Obj:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": namespace}
    return {"kind": kind, "apiGroup": GROUP, "name": name}


def _made(obj: Obj, owned: FieldSet, uid: str, now: str) -> Obj:
    """Return an object as the API server keeps it."""
    given = obj["metadata"]
    meta = {key: given[key] for key in ("name", "namespace") if key in given}
    meta |= {"uid": uid, "resourceVersion": "", "creationTimestamp": now}
    meta |= {key: given[key] for key in ("labels", "annotations")}
    entry = {"manager": "kube-apiserver", "operation": "Update", "apiVersion": VERSION, "time": now}
    meta["managedFields"] = [entry | {"fieldsType": "FieldsV1", "fieldsV1": owned}]
    return {**obj, "metadata": meta}


def fields(obj: Obj) -> FieldSet:
    """Return which fields of such an object the API server owns."""
    out: dict[str, Any] = {}
    if obj.get("aggregationRule"):
        out["f:aggregationRule"] = {".": {}, "f:clusterRoleSelectors": {}}
    marks: FieldSet = {
        f"f:{part}": {".": {}, **{f"f:{key}": {} for key in sorted(obj["metadata"][part])}} for part in _MARKS
    }
    return out | {"f:metadata": marks} | {f"f:{key}": {} for key in ("roleRef", "rules", "subjects") if obj.get(key)}


_MARKS = ("annotations", "labels")
