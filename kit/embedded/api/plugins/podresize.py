"""Resizing of running Pods: a node must be able to hold what is asked for. Models the admission of the `resize` subresource."""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj
from kit.errors import Status
from kit.kube import status
from kit.kube.quantities import Quantity

RESOURCES = ("cpu", "memory")


def check(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse what is more than the whole node has, and what would need a restart (not simulated)."""
    node = context.store.get(Key("nodes", "", obj["spec"].get("nodeName") or ""))
    for container in obj["spec"]["containers"]:
        for policy in container.get("resizePolicy") or ():
            if policy["restartPolicy"] == "RestartContainer" and _changed(
                container, old or obj, policy["resourceName"]
            ):
                text = "the embedded cluster resizes containers in place only, not with a restart (resizePolicy RestartContainer)"
                raise Status("NotImplemented", f"{text}: use a real cluster (--provider kind)")
    for name in RESOURCES if node is not None else ():
        asked, room = _asked(obj["spec"]["containers"], name), _amount(name, node["status"]["allocatable"][name])  # type: ignore[index]
        if asked > room:
            text = f"node didn't have enough allocatable resources: {name}, requested: {asked}, allocatable: {room}"
            raise status.forbidden("pods", at.name, text)


def _changed(container: Obj, old: Obj, name: str) -> bool:
    before: Obj = next((one for one in old["spec"]["containers"] if one["name"] == container["name"]), {})
    given = [(one.get("resources") or {}) for one in (container, before)]
    return any(
        (given[0].get(kind) or {}).get(name) != (given[1].get(kind) or {}).get(name) for kind in ("limits", "requests")
    )


def _asked(containers: Iterable[Obj], name: str) -> int:
    requests = [(one.get("resources") or {}).get("requests") or {} for one in containers]
    return sum(_amount(name, one[name]) for one in requests if name in one)


def _amount(name: str, text: str) -> int:
    quantity = Quantity.parse(str(text))
    return quantity.milli if name == "cpu" else quantity.value
