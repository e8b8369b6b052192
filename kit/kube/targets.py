"""Which Pods a Service means, and which of their ports. Models pkg/api/v1/pod FindPort and the selectors of Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Obj = Mapping[str, Any]


def selects(service: Obj, labels: Mapping[str, str] | None) -> bool:
    """Say whether a Service with a selector means a Pod with these labels."""
    wanted = service["spec"].get("selector")
    return bool(wanted) and wanted.items() <= (labels or {}).items()


def target_port(port: Obj, pod: Obj) -> int | None:
    """Return the number of the Pod's port that a Service port leads to, None when the Pod has none of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or int(port["port"])
    protocol = port.get("protocol", "TCP")
    sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for offered in container.get("ports") or ():
            if offered.get("name") == target and offered.get("protocol", "TCP") == protocol:
                return int(offered["containerPort"])
    return None
