"""metadata.managedFields: who owns which fields, and how every write changes that.

Models k8s.io/apimachinery/pkg/util/managedfields/internal (fieldmanager, managedfields, managedfieldsupdater, stripmeta,
capmanagers, skipnonapplied, buildmanagerinfo) and structured-merge-diff/merge/update.go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from kit.kube.fields import FieldSet, difference, intersection, ordered, union, valid
from kit.kube.schema import Node
from kit.kube.shapes import ANYTHING, Shape, empty_object, shape
from kit.kube.typed import Change, compare

MAX_UPDATERS: Final = 10
ANCIENT: Final = "ancient-changes"
STRIPPED_META: Final = frozenset(
    {
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    }
)
STRIPPED_TOP: Final = frozenset({"apiVersion", "kind", "metadata"})
IGNORED: Final[Mapping[str, FieldSet]] = {"": {"f:status": {}}, "status": {"f:spec": {}}}
"""Fields a resource's strategy resets on a write, by subresource: nobody comes to own them by it."""


class Owner(NamedTuple):
    """Who an entry belongs to; `version` is "" for an applier, who has one entry whatever the version."""

    manager: str
    operation: str
    version: str
    subresource: str

    def identifier(self) -> str:
        """Return the JSON by which upstream sorts owners."""
        parts = {"manager": self.manager, "operation": self.operation, "apiVersion": self.version}
        return json.dumps(
            {**{k: v for k, v in parts.items() if v}, **({"subresource": self.subresource} if self.subresource else {})}
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One manager's fields: the API version they are written in, when it last took some."""

    fields: FieldSet
    version: str
    time: str

    def less(self, taken: FieldSet) -> Entry:
        """Return the entry without some paths, itself where it has none of them."""
        rest = difference(self.fields, taken)
        return self if rest is self.fields or rest == self.fields else replace(self, fields=rest)


Owners = dict[Owner, Entry]


def decode(entries: Any) -> Owners | None:
    """Return the owners an object's managedFields name, None when the list can't be read."""
    out: Owners = {}
    for entry in entries or ():
        operation, version = entry.get("operation", ""), entry.get("apiVersion", "")
        fields = entry.get("fieldsV1") or {}
        if operation not in {"Apply", "Update"} or entry.get("fieldsType") != "FieldsV1" or not version:
            return None
        key = "" if operation == "Apply" else version
        owner = Owner(entry.get("manager", ""), operation, key, entry.get("subresource", ""))
        out[owner] = Entry(fields, version, entry.get("time") or "")
    return out


def encode(owners: Owners) -> list[dict[str, Any]]:
    """Return managedFields as the API server orders and writes them."""
    return [
        _wire(owner, owners[owner]) for owner in sorted(owners, key=lambda o: (o[1], owners[o].time, o[0], o[2], o[3]))
    ]


def _wire(owner: Owner, entry: Entry) -> dict[str, Any]:
    out: dict[str, Any] = {"manager": owner.manager, "operation": owner.operation, "apiVersion": entry.version}
    if entry.time:
        out["time"] = entry.time
    out["fieldsType"], out["fieldsV1"] = "FieldsV1", entry.fields
    if owner.subresource:
        out["subresource"] = owner.subresource
    return out


def with_owners(obj: Mapping[str, Any], owners: Owners) -> dict[str, Any]:
    """Return the object with these managedFields, without any when nobody owns anything."""
    metadata = {k: v for k, v in (obj.get("metadata") or {}).items() if k != "managedFields"}
    if owners:
        metadata["managedFields"] = encode(owners)
    return {**obj, "metadata": metadata}


def readable(entries: Any) -> bool:
    """Return whether managedFields a client sent are well-formed down to the last field name."""
    return decode(entries) is not None and all(valid(e.get("fieldsV1") or {}) for e in entries or ())


def changes(at: Shape, old: Mapping[str, Any], new: Mapping[str, Any], ignored: FieldSet) -> Change:
    """Return what changed, less what is never tracked (names, uid, resourceVersion, ...) and the ignored fields."""
    skipped = STRIPPED_TOP.union(name[2:] for name, node in ignored.items() if not node)
    change = compare(at, *({k: v for k, v in side.items() if k not in skipped} for side in (old, new)))
    left, right = old.get("metadata") or {}, new.get("metadata") or {}
    meta = compare(
        at.field("metadata") or ANYTHING,
        *({k: v for k, v in side.items() if k not in STRIPPED_META} for side in (left, right)),
    )
    for target, part in ((change.added, meta.added), (change.modified, meta.modified), (change.removed, meta.removed)):
        if part:
            target["f:metadata"] = part
    deep = any(node for node in ignored.values())
    return change.without(ignored) if deep and change else change


def yielded(owners: Owners, change: Change) -> Owners:
    """Return the owners after a change: whoever had a changed or removed field loses it."""
    touched = union(change.taken(), change.removed)
    if not touched:
        return owners
    left = {owner: entry.less(touched) for owner, entry in owners.items()}
    return {owner: entry for owner, entry in left.items() if entry.fields}


def conflicts(owners: Owners, change: Change, mine: Owner) -> dict[Owner, FieldSet]:
    """Return the changed fields that others own, by owner."""
    taken = change.taken()
    found = {owner: intersection(entry.fields, taken) for owner, entry in owners.items() if owner != mine}
    return {owner: fields for owner, fields in sorted(found.items(), key=lambda f: f[0].identifier()) if fields}


def capped(owners: Owners) -> Owners:
    """Return the owners with the oldest updates beyond ten merged into one bucket a version."""
    updaters = [o for o in owners if o.operation == "Update"]
    if len(updaters) <= MAX_UPDATERS:
        return owners
    updaters.sort(key=lambda o: (owners[o].time, o.identifier()))
    out, first, length = dict(owners), dict[str, Owner](), len(updaters)
    for owner in updaters:
        if length <= MAX_UPDATERS:
            break
        entry = out[owner]
        if entry.version not in first:
            first[entry.version] = owner
            continue
        bucket = Owner(ANCIENT, "Update", entry.version, "")
        if bucket not in out:
            out[bucket] = out.pop(first[entry.version])
        if owner != bucket:
            out[bucket] = replace(entry, fields=ordered(union(entry.fields, out[bucket].fields)))
            del out[owner]
        length -= 1
    return out


def track_update(
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    manager: str,
    *,
    subresource: str = "",
    node: Node | None,
    api_version: str,
    time_text: str,
    ignored: FieldSet | None = None,
    custom: bool = False,
) -> dict[str, Any]:
    """Return a created or updated object with its managedFields brought up to date.

    `old` is None for a create. `time_text` is RFC 3339 in seconds. `ignored` are the fields the resource's strategy resets
    (default: status in the main resource, spec in the status subresource); `custom` marks custom resources.
    """
    owners = _starting_owners(old, new, subresource)
    if old is not None and not owners and (old.get("metadata") or {}).get("uid"):
        return with_owners(new, {})  # once without owners, an object stays so until somebody applies
    at = shape(node) if node is not None else ANYTHING
    before = old if old is not None else {} if custom or node is None else empty_object(at)
    change = changes(at, before, new, IGNORED.get(subresource, {}) if ignored is None else ignored)
    return with_owners(
        new, updated(owners, change, Owner(manager or "unknown", "Update", api_version, subresource), time_text)
    )


def updated(owners: Owners, change: Change, owner: Owner, time_text: str) -> Owners:
    """Return the owners after `owner` made a change by create, update or patch."""
    if not change:
        return owners
    left = yielded(owners, change)
    taken = change.taken()
    if taken:
        previous = left.get(owner)
        fields = union(previous.fields, taken) if previous else taken
        left = {**left, owner: Entry(ordered(fields), owner.version, time_text)}
    return capped(left)


def _starting_owners(old: Mapping[str, Any] | None, new: Mapping[str, Any], subresource: str) -> Owners:
    """Return the owners a write starts from: the request's own list if it has one, [{}] resets it, else the live one's."""
    live = decode(((old or {}).get("metadata") or {}).get("managedFields")) or {}
    if subresource:
        return live
    sent = (new.get("metadata") or {}).get("managedFields")
    if is_reset(sent):
        return {}
    return decode(sent) or live


def is_reset(entries: Sequence[Mapping[str, Any]] | None) -> bool:
    """Return whether managedFields ask to be dropped: a list of one empty entry."""
    return entries is not None and len(entries) == 1 and not entries[0]
