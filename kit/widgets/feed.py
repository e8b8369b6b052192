"""Live objects for a picture: a watch for each kind, one painter that is woken by changes and draws at most eight times a second.

Threads, because a kernel that runs a cell still lets them work while a task of its event loop would stand still. They never print.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from kit.client.objects import Objects
from kit.client.watch import watch
from kit.errors import KitError, Status

Obj = dict[str, Any]
INTERVAL_S = 0.125
RETRY_S = 2.0


class Feed:
    """The objects of some kinds, kept up to date; `paint` is called with all of them, by one thread only."""

    def __init__(
        self, objects: Objects, kinds: Sequence[str], paint: Callable[[list[Obj]], None], everywhere: Sequence[str] = ()
    ) -> None:
        self._objects = objects
        self._kinds = tuple(kinds)
        self._everywhere = frozenset(everywhere)
        self._paint = paint
        self._found: dict[str, dict[tuple[str, str], Obj]] = {kind: {} for kind in kinds}
        self._changed = threading.Event()
        self._stopped = threading.Event()

    def read(self) -> list[Obj]:
        """List everything once, now."""
        for kind in self._kinds:
            self._list(kind)
        return self._all()

    def start(self) -> None:
        """Begin to follow; the threads end with the kernel, or by `stop`."""
        for kind in self._kinds:
            threading.Thread(target=self._follow, args=(kind,), name=f"kit-watch-{kind}", daemon=True).start()
        threading.Thread(target=self._draw, name="kit-paint", daemon=True).start()

    def stop(self) -> None:
        """End the threads soon."""
        self._stopped.set()
        self._changed.set()

    def _follow(self, kind: str) -> None:
        while not self._stopped.is_set():
            try:
                since = self._list(kind)
                for change in watch(self._objects, kind, everywhere=kind in self._everywhere, since=since):
                    self._take(kind, change.type, change.object)
                    if self._stopped.is_set():
                        return
            except (KitError, Status, OSError, ValueError):
                self._stopped.wait(RETRY_S)  # the cluster is restarting or gone: the picture stays as it is

    def _list(self, kind: str) -> int:
        """List a kind and return the revision: a watch from there on misses nothing, not even what is deleted meanwhile."""
        resource = self._objects.resources.find(kind)
        path = resource.path(None if kind in self._everywhere else self._objects.namespace)
        listing = self._objects.connection.json("GET", path)
        typed = {"apiVersion": resource.api_version, "kind": resource.kind}
        self._found[kind] = {_name(item): {**typed, **item} for item in listing.get("items") or []}
        self._changed.set()
        return int(listing["metadata"]["resourceVersion"])

    def _take(self, kind: str, type: str, obj: Obj) -> None:
        found = dict(self._found[kind])
        if type == "DELETED":
            found.pop(_name(obj), None)
        else:
            found[_name(obj)] = obj
        self._found[kind] = found
        self._changed.set()

    def _draw(self) -> None:
        while not self._stopped.is_set():
            self._changed.wait()
            self._changed.clear()
            if not self._stopped.is_set():
                self._paint(self._all())
            self._stopped.wait(INTERVAL_S)

    def _all(self) -> list[Obj]:
        return [obj for kind in self._kinds for _, obj in sorted(self._found[kind].items())]


def _name(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
