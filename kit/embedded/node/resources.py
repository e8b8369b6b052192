"""Requests and limits: what a Pod may use, as the kubelet tells and enforces it. Models the kubelet's cgroup settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit.embedded.core.store import Obj
from kit.embedded.node.runtime import Limits
from kit.kube.quantities import Quantity


def limits(container: Obj) -> Limits:
    """Return what bounds a container."""
    given = (container.get("resources") or {}).get("limits") or {}
    cpu = Quantity.parse(given["cpu"]).milli if "cpu" in given else None
    memory = Quantity.parse(given["memory"]).value if "memory" in given else None
    return Limits(max(1, cpu) if cpu is not None and cpu < 1000 else None, memory)


def whole(pod: Obj) -> dict[str, Any]:
    """Return the Pod's own `status.resources`: the sums over its containers, where every one has the resource for limits."""
    containers = [*pod["spec"]["containers"], *_sidecars(pod)]
    out: dict[str, Any] = {}
    for kind, every in (("limits", True), ("requests", False)):
        given = [(container.get("resources") or {}).get(kind) or {} for container in containers]
        names = [name for name in ("cpu", "memory") if (all if every else any)(name in one for one in given)]
        if names:
            out[kind] = {name: _total(one[name] for one in given if name in one) for name in names}
    return out


def allocated(pod: Obj) -> dict[str, str]:
    """Return the Pod's own `status.allocatedResources`: the sums of all that its containers request."""
    containers = [*pod["spec"]["containers"], *_sidecars(pod)]
    given = [(container.get("resources") or {}).get("requests") or {} for container in containers]
    return {
        name: _total(one[name] for one in given if name in one)
        for name in sorted({name for one in given for name in one})
    }


def _sidecars(pod: Obj) -> list[Obj]:
    return [
        container for container in pod["spec"].get("initContainers") or () if container.get("restartPolicy") == "Always"
    ]


def _total(values: Iterable[str]) -> str:
    listed = list(values)
    return (
        listed[0]
        if len(listed) == 1
        else str(sum((Quantity.parse(text) for text in listed[1:]), Quantity.parse(listed[0])))
    )


def ephemeral_limit(pod: Obj) -> tuple[int, str] | None:
    """Return the sum of the containers' ephemeral-storage limits in bytes and as text, None when there is none."""
    given = [
        ((container.get("resources") or {}).get("limits") or {}).get("ephemeral-storage")
        for container in pod["spec"]["containers"]
    ]
    if not all(given):
        return None
    texts = [str(text) for text in given]
    return Quantity.parse(_total(texts)).value, _total(texts)


def size(text: str) -> int:
    """Return a quantity in whole bytes."""
    return Quantity.parse(text).value
