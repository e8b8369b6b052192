"""What cells are made of: ages, label lists, lists cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from kit.kube import times

Object = Mapping[str, Any]
Row = Callable[[Object, int], list[Any]]

NONE: Final = "<none>"
UNSET: Final = "<unset>"
UNKNOWN: Final = "<unknown>"


def since(text: Any, now_ms: int) -> str:
    """Return how long ago a time was, `<unknown>` when there is none. Models translateTimestampSince."""
    return times.human_duration(now_ms - times.parse(text)) if text else UNKNOWN


def age(obj: Object, now_ms: int) -> str:
    """Return how old an object is."""
    return since(obj["metadata"].get("creationTimestamp"), now_ms)


def name(obj: Object) -> str:
    """Return an object's name."""
    return str(obj["metadata"].get("name", ""))


def spec(obj: Object) -> Mapping[str, Any]:
    """Return an object's spec, empty when it has none."""
    return obj.get("spec") or {}


def status(obj: Object) -> Mapping[str, Any]:
    """Return an object's status, empty when it has none."""
    return obj.get("status") or {}


def condition(obj: Object, type: str) -> bool:
    """Return whether a condition of that type is True."""
    return any(c["type"] == type and c["status"] == "True" for c in status(obj).get("conditions") or ())


def labels(pairs: Mapping[str, str] | None) -> str:
    """Return labels as `a=b,c=d`. Models labels.FormatLabels."""
    return ",".join(f"{key}={value}" for key, value in sorted((pairs or {}).items())) or NONE


_OPERATORS: Final[dict[str, str]] = {
    "In": "{} in ({})",
    "NotIn": "{} notin ({})",
    "Exists": "{}",
    "DoesNotExist": "!{}",
}


def selector(given: Mapping[str, Any] | None) -> str:
    """Return a label selector as `a=b,c in (d,e)`, by key. Models metav1.FormatLabelSelector."""
    given = given or {}
    parts = [(key, f"{key}={value}") for key, value in (given.get("matchLabels") or {}).items()]
    for rule in given.get("matchExpressions") or ():
        values = ",".join(sorted(rule.get("values") or ()))
        parts.append((rule["key"], _OPERATORS[rule["operator"]].format(rule["key"], values)))
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0])) or NONE


def first(items: Iterable[str], limit: int = 3, joint: str = ",") -> str:
    """Return the first items, and how many more there are."""
    every = list(items)
    head = joint.join(every[:limit])
    return f"{head} + {len(every) - limit} more..." if len(every) > limit else head


def containers(pod_spec: Mapping[str, Any]) -> list[str]:
    """Return the columns Containers and Images."""
    found = pod_spec.get("containers") or ()
    return [",".join(c["name"] for c in found), ",".join(c.get("image", "") for c in found)]


def template_containers(obj: Object) -> list[str]:
    """Return the columns Containers and Images of an object with a Pod template."""
    return containers(((spec(obj).get("template") or {}).get("spec")) or {})
