"""Which taints a Pod bears. Models k8s.io/component-helpers/scheduling/corev1 ToleratesTaint."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

Obj = Mapping[str, Any]


def covers(toleration: Obj, taint: Obj) -> bool:
    """Say whether a toleration covers a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def bears(spec: Obj, node: Obj, effects: Collection[str]) -> bool:
    """Say whether a Pod's spec tolerates every taint of a node that has one of these effects."""
    tolerated = spec.get("tolerations") or ()
    taints = [taint for taint in node["spec"].get("taints") or () if taint["effect"] in effects]
    return all(any(covers(toleration, taint) for toleration in tolerated) for taint in taints)
