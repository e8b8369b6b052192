"""What the controllers of endpoints share: the labels they take over, and how wanted groups of endpoints become EndpointSlices.

Models the reconcilers of k8s.io/endpointslice and pkg/controller/endpointslicemirroring, which differ in what they count and in
what they write over it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kit.embedded.core.controller import View
from kit.embedded.core.effects import Create, Delete, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status

SLICES = "endpointslices.discovery.k8s.io"
SERVICE = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"

Groups = Mapping[str, Sequence[Obj]]
Metadata = Callable[["Obj | None"], Obj]


def labels(obj: Obj, own: Mapping[str, str], *, headless: bool = False) -> dict[str, str]:
    """Return the labels of an object with a controller's own ones over them, and whether the Service has no address."""
    taken = {key: value for key, value in (obj["metadata"].get("labels") or {}).items() if key != HEADLESS}
    return {**taken, **own, **({HEADLESS: ""} if headless else {})}


def service_of(event: Event, view: View) -> Iterable[Key]:
    """Map a slice to its Service."""
    name = (event.obj["metadata"].get("labels") or {}).get(SERVICE)
    if name:
        yield Key("services", event.key.namespace, name)


def group(ports: Any, family: str = "IPv4") -> str:
    """Return the key of the endpoints that have these ports: one slice holds only such."""
    return json.dumps([family, ports], sort_keys=True)


def managed(view: View, owner: Obj, manager: str) -> list[Obj]:
    """Return the slices of an owner that this manager writes."""
    found = view.owned(SLICES, owner["metadata"]["uid"])
    return [one for one in found if (one["metadata"].get("labels") or {}).get(MANAGED_BY) == manager]


def reconciled(groups: Groups, existing: Sequence[Obj], most: int, metadata: Metadata) -> Any:
    """Yield what makes the slices hold these groups, at most so many endpoints each; `metadata` gives that of a new or changed one."""
    spare = list(existing)
    wanted: list[tuple[str, list[Obj], Obj | None]] = []
    for key, endpoints in groups.items():
        same = [one for one in spare if group(one.get("ports"), one["addressType"]) == key]
        spare = [one for one in spare if one not in same]
        starts = range(0, max(len(endpoints), 1), most)
        wanted += [(key, list(endpoints[at : at + most]), same.pop(0) if same else None) for at in starts]
        spare += same
    for key, part, found in wanted:  # one that would go is made into one that is missing, as in reconciler.finalize
        family, ports = json.loads(key)
        recycled = next((one for one in spare if one["addressType"] == family), None) if found is None else None
        if recycled is not None:
            spare.remove(recycled)
        yield from _written(found or recycled, {"addressType": family, "endpoints": part, "ports": ports}, metadata)
    for stale in spare:
        yield Delete(Key(SLICES, stale["metadata"]["namespace"], stale["metadata"]["name"]))


def _written(found: Obj | None, content: Obj, metadata: Metadata) -> Any:
    if found is None:
        kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice"}
        answer = yield Create({**kind, "metadata": metadata(None), **content})
    else:
        wanted = metadata(found)
        if _said(found, found["metadata"]) == _said(content, wanted):
            return
        answer = yield Update({**found, "metadata": wanted, **content})
    if isinstance(answer, Status):
        raise answer


def _said(content: Obj, metadata: Obj) -> tuple[Any, ...]:
    notes = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != TRIGGER}
    return content.get("endpoints") or [], content.get("ports"), metadata.get("labels"), notes
