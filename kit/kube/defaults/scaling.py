"""Rules of defaulting for HorizontalPodAutoscalers. Models pkg/apis/autoscaling/v2/defaults.go."""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

_UP: Final[Object] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DOWN: Final[Object] = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def metrics(spec: Object) -> Object | None:
    """Without a metric, processors are kept busy at 80 percent."""
    if spec.get("metrics"):
        return None
    target = {"type": "Utilization", "averageUtilization": 80}
    return {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}


def behavior(spec: Object) -> Object | None:
    """Once a behaviour is given, both directions have one."""
    given = spec.get("behavior")
    if not isinstance(given, dict):
        return None
    filled = {"scaleUp": _filled(given, "scaleUp", _UP), "scaleDown": _filled(given, "scaleDown", _DOWN)}
    return {"behavior": filled} if filled != given else None


def _filled(given: Object, direction: str, missing: Object) -> Object:
    rules = given.get(direction) or {}
    return {**missing, **{key: value for key, value in rules.items() if value is not None}}
