"""All objects, one revision counter, and the windows that watches read.

Models etcd and the watch cache: a commit gives the next revision, keeps the event for watchers, and notes a row for the journal.
Objects are immutable by convention: a commit replaces, nothing is copied, and the encoded bytes of an object are made once
and shared by reads, watches and the journal. Not kept: old revisions beyond the window (a list at an old one is 410, as after compaction).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from kit.errors import Status
from kit.kube.gojson import encode

Obj = dict[str, Any]


class Key(NamedTuple):
    """Where an object is kept: its group resource ("pods", "deployments.apps"), namespace ("" for none) and name."""

    resource: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.resource}/{self.namespace}/{self.name}" if self.namespace else f"{self.resource}/{self.name}"


class Record:
    """One revision of one object with its encoded form."""

    __slots__ = ("_bytes", "_metadata", "_packed", "obj", "revision", "written")

    def __init__(self, obj: Obj, revision: int) -> None:
        self.obj = obj
        self.written: Obj | None = None  # what was written, where something else is shown
        self.revision = revision
        self._bytes: bytes | None = None
        self._metadata: str | None = None
        self._packed: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """The object as compact JSON, encoded once."""
        if self._bytes is None:
            self._bytes = encode(self.obj).encode()
        return self._bytes

    @property
    def lasting(self) -> bytes:
        """What the journal keeps: the object as it was written."""
        return encode(self.written).encode() if self.written else self.encoded

    @property
    def metadata(self) -> str:
        """The object's metadata as compact JSON, encoded once: what rows of Tables carry."""
        if self._metadata is None:
            self._metadata = encode(self.obj["metadata"])
        return self._metadata

    def shown_as(self, obj: Obj) -> None:
        """Show another object than was written: what its definition makes of that today."""
        written = self.written or self.obj
        self.rebased(obj)
        self.written = None if obj == written else written

    def packed(self, write: Callable[[Obj], bytes]) -> bytes:
        """The object in the one other form that clients ask for, made once by `write`."""
        if self._packed is None:
            self._packed = write(self.obj)
        return self._packed

    def rebased(self, obj: Obj) -> None:
        """Replace the object by the same revision with shifted times (a clock jump)."""
        self.obj = obj
        self._bytes = self._metadata = self._packed = None


class Event(NamedTuple):
    """One change: ADDED, MODIFIED or DELETED at `revision`; `record` is the object after it (the last state, for DELETED)."""

    revision: int
    type: str
    key: Key
    record: Record
    old: Record | None

    @property
    def obj(self) -> Obj:
        """The object after the change."""
        return self.record.obj


class Row(NamedTuple):
    """One line for the journal: a value under (table, key), or its removal when None."""

    table: str
    key: str
    value: bytes | None


IndexFunction = Callable[[Obj], Iterable[str]]


class Store:
    """Objects by resource, namespace and name. `listener` is called with each event, in order, right after the commit."""

    def __init__(self, window: int = 4096) -> None:
        self.revision = 0
        self.listeners: list[Callable[[Event], None]] = []
        self._records: dict[str, dict[tuple[str, str], Record]] = {}
        self._names: dict[str, list[tuple[str, str]]] = {}  # the keys of `_records`, in order
        self._windows: dict[str, deque[Event]] = {}
        self._window = window
        self._forgotten: dict[str, int] = {}  # resource -> last revision that fell out of its window
        self._floor = 0  # revisions up to here have no events at all (before the last start)
        self._indexes: dict[str, dict[str, tuple[IndexFunction, dict[str, list[Key]]]]] = {}
        self._rows: dict[tuple[str, str], Record | bytes | None] = {}

    # --- reading ---

    def get(self, key: Key) -> Obj | None:
        """Return the object or None."""
        record = self.record(key)
        return record.obj if record else None

    def record(self, key: Key) -> Record | None:
        """Return the object's record or None."""
        return self._records.get(key.resource, {}).get((key.namespace, key.name))

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Obj]:
        """Return the objects of a resource, sorted by namespace and name."""
        found = self._records.get(resource)
        return [found[name].obj for name in self._among(resource, namespace)] if found else []

    def items(self, resource: str, namespace: str | None = None) -> Sequence[tuple[Key, Record]]:
        """Return (key, record) of a resource, sorted by namespace and name as etcd does."""
        found = self._records.get(resource, {})
        return [(Key(resource, *name), found[name]) for name in self._among(resource, namespace)]

    def _among(self, resource: str, namespace: str | None) -> Sequence[tuple[str, str]]:
        names = self._names.get(resource, [])
        if namespace is None:
            return names
        return names[bisect_left(names, (namespace, "")) : bisect_left(names, (namespace + "\0", ""))]

    def count(self, resource: str) -> int:
        """Return how many objects a resource has."""
        return len(self._records.get(resource, ()))

    def resources(self) -> Sequence[str]:
        """Return the resources that have objects."""
        return sorted(resource for resource, records in self._records.items() if records)

    def index(self, resource: str, name: str, function: IndexFunction) -> None:
        """Keep an index of a resource: `function(obj)` gives the values an object is found under."""
        entries: dict[str, list[Key]] = {}
        self._indexes.setdefault(resource, {})[name] = (function, entries)
        for key, record in self.items(resource):
            for value in function(record.obj):
                insort(entries.setdefault(value, []), key)

    def indexed(self, resource: str, name: str) -> bool:
        """Return whether a resource has that index."""
        return name in self._indexes.get(resource, ())

    def by_index(self, resource: str, name: str, value: str) -> Sequence[Obj]:
        """Return the objects found under `value`, sorted by namespace and name."""
        keys = self._indexes[resource][name][1].get(value, ())
        records = self._records.get(resource, {})
        return [records[key[1:]].obj for key in keys]

    # --- writing ---

    def commit(self, key: Key, obj: Obj) -> Record:
        """Keep `obj` as the next revision of `key`; its metadata gets the resourceVersion. The dict given is owned by the store."""
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        record = Record(obj, self.revision)
        records = self._records.setdefault(key.resource, {})
        old = records.get((key.namespace, key.name))
        records[key.namespace, key.name] = record
        if old is None:
            insort(self._names.setdefault(key.resource, []), (key.namespace, key.name))
        self._reindex(key, old, record)
        self._publish(Event(self.revision, "MODIFIED" if old else "ADDED", key, record, old))
        return record

    def remove(self, key: Key) -> Record:
        """Remove `key`; the event carries the last object with the revision of its removal."""
        old = self._records[key.resource].pop((key.namespace, key.name))
        names = self._names[key.resource]
        del names[bisect_left(names, (key.namespace, key.name))]
        self.revision += 1
        last = Record(
            {**old.obj, "metadata": {**old.obj["metadata"], "resourceVersion": str(self.revision)}}, self.revision
        )
        self._reindex(key, old, None)
        self._publish(Event(self.revision, "DELETED", key, last, old))
        return last

    def note(self, row: Row) -> None:
        """Add a row that is not an object to the next transaction."""
        self._rows[row.table, row.key] = row.value

    def take_rows(self) -> Sequence[Row]:
        """Return the rows since the last call, the last value of each key only: what came between is never encoded for them."""
        latest, self._rows = self._rows, {}
        return [Row(*at, kept.lasting if isinstance(kept, Record) else kept) for at, kept in latest.items()]

    def _publish(self, event: Event) -> None:
        window = self._windows.setdefault(event.key.resource, deque())
        window.append(event)
        if len(window) > self._window:
            self._forgotten[event.key.resource] = window.popleft().revision
        self._rows["objects", str(event.key)] = None if event.type == "DELETED" else event.record
        for listener in self.listeners:
            listener(event)

    def _reindex(self, key: Key, old: Record | None, new: Record | None) -> None:
        for function, entries in self._indexes.get(key.resource, {}).values():
            was = function(old.obj) if old else ()
            now = function(new.obj) if new else ()
            if was == now:
                continue
            before, after = set(was), set(now)
            for value in sorted(before - after):
                del entries[value][bisect_left(entries[value], key)]
                if not entries[value]:
                    del entries[value]
            for value in sorted(after - before):
                insort(entries.setdefault(value, []), key)

    # --- watching ---

    def since(self, resource: str, revision: int) -> Iterator[Event]:
        """Yield the events of a resource after `revision`. Expired (410) when they are no longer kept."""
        if revision < max(self._forgotten.get(resource, 0), self._floor):
            raise Status(
                "Expired",
                f"too old resource version: {revision} ({max(self._forgotten.get(resource, 0), self._floor)})",
            )
        return (event for event in self._windows.get(resource, ()) if event.revision > revision)

    # --- restoring and jumping ---

    def restore(self, objects: Iterable[tuple[Key, Obj]], revision: int) -> None:
        """Fill an empty store from the journal; watches from before get 410."""
        self.revision = self._floor = revision
        for key, obj in objects:
            record = Record(obj, int(obj["metadata"]["resourceVersion"]))
            self._records.setdefault(key.resource, {})[key.namespace, key.name] = record
            insort(self._names.setdefault(key.resource, []), (key.namespace, key.name))
            self._reindex(key, None, record)

    def rebase(self, shift: Callable[[str, Obj], Obj]) -> None:
        """Replace every object by `shift(resource, obj)`, at the same revision: a jump of the clock makes all times older."""
        for resource, records in self._records.items():
            for name, record in records.items():
                record.rebased(shift(resource, record.obj))
                record.written = shift(resource, record.written) if record.written else None
                self._rows["objects", str(Key(resource, *name))] = record
        for resource, window in self._windows.items():
            live = {id(record) for record in self._records.get(resource, {}).values()}
            for event in window:
                if id(event.record) not in live:
                    event.record.rebased(shift(resource, event.record.obj))
