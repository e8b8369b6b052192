"""Which nodes a Pod's nodeSelector and required node affinity leave. Models component-helpers/scheduling/corev1/nodeaffinity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.kube import selectors

Obj = Mapping[str, Any]


def matches(spec: Obj, node: Obj) -> bool:
    """Say whether a node's labels and name match the nodeSelector and the required node affinity of a Pod's spec."""
    labels = node["metadata"].get("labels") or {}
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return not required or any(_term(term, node) for term in required.get("nodeSelectorTerms") or ())


def named(spec: Obj) -> frozenset[str] | None:
    """Return the names of the only nodes that the required node affinity leaves, None when some term names none."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    found: set[str] = set()
    for term in terms or ():
        fields = [
            one for one in term.get("matchFields") or () if one["key"] == "metadata.name" and one["operator"] == "In"
        ]
        if not fields:
            return None
        found |= set.intersection(*(set(one["values"]) for one in fields))
    return frozenset(found) if terms else None


def _term(term: Obj, node: Obj) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    by_label = selectors.of_expressions(expressions).matches(node["metadata"].get("labels") or {})
    return by_label and selectors.of_expressions(fields).matches({"metadata.name": node["metadata"]["name"]})
