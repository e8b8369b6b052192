"""How much a whole Pod asks for and may use.

Models k8s.io/component-helpers/resource/helpers.go (PodRequests, PodLimits): containers add up, sidecars too, and each init container
needs what it asks for beside the sidecars that began before it; a Pod's own resources come first, overhead is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.kube.quantities import Quantity

Amounts = dict[str, Quantity]
POD_LEVEL = ("cpu", "memory")


def amounts(given: Mapping[str, Any] | None) -> Amounts:
    """Return a resource list as quantities."""
    return {name: Quantity.parse(value) for name, value in (given or {}).items()}


def requests(pod: Mapping[str, Any]) -> Amounts:
    """Return what a Pod asks for."""
    return _total(pod["spec"], "requests", always_overhead=True)


def limits(pod: Mapping[str, Any]) -> Amounts:
    """Return what a Pod may use; what no container limits has no limit."""
    return _total(pod["spec"], "limits", always_overhead=False)


def _total(spec: Mapping[str, Any], what: str, *, always_overhead: bool) -> Amounts:
    out: Amounts = {}
    for container in spec.get("containers") or ():
        add(out, _given(container, what))
    sidecars: Amounts = {}
    highest: Amounts = {}
    for container in spec.get("initContainers") or ():
        mine = _given(container, what)
        if container.get("restartPolicy") == "Always":
            add(out, mine)
            add(sidecars, mine)
            mine = dict(sidecars)
        else:
            add(mine, sidecars)
        _raise(highest, mine)
    _raise(out, highest)
    own = amounts((spec.get("resources") or {}).get(what))
    out |= {name: own[name] for name in own if name in POD_LEVEL or name.startswith("hugepages-")}
    for name, amount in amounts(spec.get("overhead")).items():
        if always_overhead or name in out:
            out[name] = out[name] + amount if name in out else amount
    return out


def _given(container: Mapping[str, Any], what: str) -> Amounts:
    return amounts((container.get("resources") or {}).get(what))


def add(out: Amounts, more: Mapping[str, Quantity]) -> None:
    """Add amounts to others in place."""
    for name, amount in more.items():
        out[name] = out[name] + amount if name in out else amount


def _raise(out: Amounts, least: Amounts) -> None:
    for name, amount in least.items():
        if name not in out or out[name] < amount:
            out[name] = amount
