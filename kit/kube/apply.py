"""Server-side apply.

Models structured-merge-diff/merge/update.go and k8s.io/apimachinery/pkg/util/managedfields/internal (structuredmerge,
versioncheck, lastappliedmanager, lastappliedupdater, conflict).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from kit.errors import Status
from kit.kube.copies import in_order
from kit.kube.fields import (
    FieldSet,
    difference,
    intersection,
    leaves,
    named_members,
    ordered,
    path_text,
    paths,
    recursive_difference,
    union,
)
from kit.kube.gotext import compact, go_quoted
from kit.kube.managed import (
    IGNORED,
    STRIPPED_META,
    Entry,
    Owner,
    Owners,
    changes,
    conflicts,
    decode,
    track_update,
    updated,
    with_owners,
    yielded,
)
from kit.kube.merging import merge, remove
from kit.kube.schema import Node
from kit.kube.shapes import ANYTHING, Shape, empty_object, shape
from kit.kube.typed import faults, field_set

__all__ = ["LAST_APPLIED", "apply", "track_update"]

Object = dict[str, Any]

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
MAX_ANNOTATIONS: Final = 256 * 1024
STRIPPED: Final[FieldSet] = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {".": {}, **{f"f:{name}": {} for name in STRIPPED_META}},
}


class Conflicted(Exception):
    """Fields that others own, by owner."""

    def __init__(self, found: dict[Owner, FieldSet]) -> None:
        super().__init__()
        self.found = found


def apply(
    live: Mapping[str, Any] | None,
    patch: Mapping[str, Any],
    manager: str,
    *,
    force: bool,
    node: Node | None,
    subresource: str = "",
    api_version: str,
    time_text: str,
    kind: str = "",
    default: Callable[[Object], Object] | None = None,
    ignored: FieldSet | None = None,
    custom: bool = False,
) -> Object:
    """Return what applying `patch` makes of `live` (None: it does not exist yet), managedFields included.

    Raises Status: 400 for a patch of another kind or with managedFields, 500 for one that does not fit the schema (so the
    API server answers), 409 with a cause for each field that another manager owns unless `force`.
    `default` brings the merged object into the form the API server would store.
    """
    _check_patch(patch, api_version, kind)
    run = _Run(
        patch,
        Owner(manager, "Apply", "", subresource),
        api_version,
        time_text,
        shape(node) if node else ANYTHING,
        ignored,
    )
    run.default = default or dict
    start: Object = dict(live) if live is not None else {} if custom or node is None else dict(empty_object(run.at))
    owners = decode((start.get("metadata") or {}).get("managedFields")) or {}
    if live is not None and not owners:
        owners = run.before_first_apply(live, custom=custom)
    try:
        out = run.apply(start, owners, force=force)
    except Conflicted as refused:
        rest = _not_allowed(refused.found, live, run.at) if manager == "kubectl" else refused.found
        if rest:
            raise conflict_status(rest) from None
        out = run.apply(start, owners, force=True)
    return _with_last_applied(out, patch) if manager == "kubectl" else out


def _check_patch(patch: Mapping[str, Any], api_version: str, kind: str) -> None:
    check_type(patch, api_version, kind)
    meta = patch.get("metadata")
    if isinstance(meta, Mapping) and isinstance(meta.get("managedFields"), list):
        raise Status("BadRequest", "metadata.managedFields must be nil")


def check_type(patch: Mapping[str, Any], api_version: str, kind: str) -> None:
    """Refuse a patch of another kind or version, with 400; what is no text counts as left out."""
    said, of = (value if isinstance(value := patch.get(key), str) else "" for key in ("apiVersion", "kind"))
    if said != api_version or (kind and of != kind):
        raise Status("BadRequest", f"invalid object type: {_gvk(said, of)}")


def _gvk(api_version: str, kind: str) -> str:
    if api_version.count("/") > 1:  # no group and version at all
        return "/, Kind="
    return f"{api_version if '/' in api_version else '/' + api_version}, Kind={kind}"


class _Run:
    """One apply: the patch and who sends it, read by every step."""

    def __init__(
        self, patch: Mapping[str, Any], owner: Owner, version: str, time: str, at: Shape, ignored: FieldSet | None
    ) -> None:
        self.patch, self.owner, self.version, self.time, self.at = patch, owner, version, time, at
        self.ignored = IGNORED.get(owner.subresource, {}) if ignored is None else ignored
        self.default: Callable[[Object], Object] = dict

    def before_first_apply(self, live: Mapping[str, Any], *, custom: bool) -> Owners:
        """Return the owner of everything in an object that was never tracked."""
        change = changes(self.at, {} if custom else empty_object(self.at), live, self.ignored)
        return updated(
            {}, change, Owner("before-first-apply", "Update", self.version, self.owner.subresource), self.time
        )

    def apply(self, live: Object, owners: Owners, *, force: bool) -> Object:
        """Merge, remove what the manager no longer wants, settle ownership; raise Conflicted."""
        self._refuse_faults()
        wanted = recursive_difference(field_set(self.at, self.patch), self.ignored)
        merged = merge(self.at, live, self.patch)
        last = owners.get(self.owner)
        mine = Entry(wanted, self.version, last.time if last else "")
        owners = {**owners, self.owner: mine}
        if last and last.fields:
            merged = self._pruned(merged, owners, last.fields)
        change = changes(self.at, live, merged, self.ignored)
        found = conflicts(owners, change, self.owner)
        if found and not force:
            raise Conflicted(found)
        others = {o: e for o, e in owners.items() if o != self.owner}
        owners = yielded(others, change)
        fields = difference(wanted, STRIPPED)
        same = merged == live
        if fields:
            time = mine.time if same else self.time
            owners = {**owners, self.owner: Entry(ordered(fields), self.version, time)}
        return with_owners(live if same else self.default(merged), owners)

    def _refuse_faults(self) -> None:
        found = faults(self.at, self.patch)
        if not found:
            return
        text = found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {f}" for f in found)])
        said = self.patch.get("metadata")
        meta = {k: v for k, v in said.items() if isinstance(v, str)} if isinstance(said, Mapping) else {}
        of = f"{meta.get('namespace') or ''}/{meta.get('name') or ''}; {_gvk(self.patch['apiVersion'], self.patch['kind'])}"
        raise Status("", f"failed to create typed patch object ({of}): {text}", code=500)

    def _pruned(self, merged: Object, owners: Owners, last: FieldSet) -> Object:
        """Remove what the manager applied before and nobody owns now."""
        named = named_members(last, self.at)
        pruned = remove(self.at, merged, named) or {}
        owned: FieldSet = {}
        for entry in owners.values():
            owned = union(owned, entry.fields)
        everything = named_members(field_set(self.at, merged), self.at)
        kept = union(named_members(field_set(self.at, pruned), self.at), named_members(owned, self.at))
        pruned = remove(self.at, merged, difference(everything, kept)) or {}
        kept = named_members(field_set(self.at, pruned), self.at)
        return dict(remove(self.at, merged, intersection(difference(everything, kept), named)) or {})


def conflict_status(found: dict[Owner, FieldSet]) -> Status:
    """Return the 409 that names every field in dispute."""
    listed = [(owner, path_text(path)) for owner, fields in found.items() for path in paths(fields)]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_printed(owner)}", "field": path}
        for owner, path in listed
    ]
    if len(listed) == 1:
        message = f"Apply failed with 1 conflict: conflict with {_printed(listed[0][0])}: {listed[0][1]}"
    else:
        lines = []
        for owner in found:
            lines.append(f"conflicts with {_printed(owner)}:")
            lines += [f"- {path}" for other, path in listed if other == owner]
        message = f"Apply failed with {len(listed)} conflicts: " + "\n".join(lines)
    return Status("Conflict", message, details={"causes": causes})


def _printed(owner: Owner) -> str:
    text = go_quoted(owner.manager)
    if owner.subresource:
        text += f" with subresource {go_quoted(owner.subresource)}"
    return f"{text} using {owner.version}" if owner.operation == "Update" else text


def _not_allowed(found: dict[Owner, FieldSet], live: Mapping[str, Any] | None, at: Shape) -> dict[Owner, FieldSet]:
    """Return the conflicts left when kubectl may take over what its client-side apply wrote."""
    text = _annotations(live).get(LAST_APPLIED)
    try:
        last = json.loads(text) if text else None
    except ValueError:
        last = None
    if not isinstance(last, Mapping) or faults(at, last):
        return found
    allowed = leaves(field_set(at, last))
    rest = {owner: difference(fields, allowed) for owner, fields in found.items()}
    return {owner: fields for owner, fields in rest.items() if fields}


def _annotations(obj: Mapping[str, Any] | None) -> dict[str, str]:
    return dict(((obj or {}).get("metadata") or {}).get("annotations") or {})


def _with_last_applied(obj: Object, patch: Mapping[str, Any]) -> Object:
    """Return the object with kubectl's annotation following the patch, where it has one."""
    annotations = _annotations(obj)
    if LAST_APPLIED not in annotations:
        return obj
    metadata = dict(patch.get("metadata") or {})
    kept = {k: v for k, v in _annotations(patch).items() if k != LAST_APPLIED}
    metadata.pop("annotations", None)
    if kept:
        metadata["annotations"] = kept
    annotations[LAST_APPLIED] = compact(in_order({**patch, "metadata": metadata})) + "\n"
    if sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items()) > MAX_ANNOTATIONS:
        del annotations[LAST_APPLIED]
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}
