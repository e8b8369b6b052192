"""What Pods use, for controllers that act on it. Models pkg/controller/podautoscaler/metrics/client.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kit.embedded.core.controller import View
from kit.embedded.core.usage import Usage, earliest
from kit.kube.selectors import Selector


class Used(NamedTuple):
    """What a Pod uses of one resource: thousandths (of a core, of a byte), over `window` ms that ended at `at` (cluster ms)."""

    milli: int
    at: int
    window: int


def used(
    usage: Usage, view: View, resource: str, namespace: str, selector: Selector, container: str = ""
) -> Mapping[str, Used]:
    """Return what each running Pod that is selected uses of `cpu` or `memory`, by name; those not measured yet are left out.

    With `container` it is that container's alone (ContainerResource): Pods without it are left out.
    """
    out: dict[str, Used] = {}
    for pod in view.list("pods", namespace):
        if (pod.get("status") or {}).get("phase") != "Running" or not selector.matches(pod["metadata"].get("labels")):
            continue
        rates = usage.pod(namespace, pod["metadata"]["name"]) or {}
        chosen = [rate for name, rate in rates.items() if not container or name == container]
        if chosen:
            # as Quantity.MilliValue does, each container's amount is rounded up
            milli = sum(-(-rate.cpu_nano // 1_000_000) if resource == "cpu" else rate.memory * 1000 for rate in chosen)
            out[pod["metadata"]["name"]] = Used(milli, *earliest(rates.values()))
    return out
