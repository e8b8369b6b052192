"""Whether a node takes a Pod that is bound to it. Models pkg/kubelet/lifecycle/predicate.go.

Only node affinity is asked: what fits by size is the scheduler's concern here.
"""

from __future__ import annotations

from kit.embedded.core.controller import View
from kit.embedded.core.store import Obj
from kit.kube import selectors

AFFINITY = "node(s) didn't match Pod's node affinity/selector"


def rejection(pod: Obj, view: View, node: str) -> tuple[str, str, str] | None:
    """Return reason, event text and status message when the Pod does not fit the node."""
    found = view.get("nodes", "", node)
    if found is None or _fits(pod["spec"], found):
        return None
    return (
        "NodeAffinity",
        f"Predicate NodeAffinity failed: {AFFINITY}",
        f"Pod was rejected: Predicate NodeAffinity failed: {AFFINITY}",
    )


def _fits(spec: Obj, node: Obj) -> bool:
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not required:
        return True
    return any(_term(term, labels, node["metadata"]["name"]) for term in required.get("nodeSelectorTerms") or ())


def _term(term: Obj, labels: Obj, name: str) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    return selectors.of_expressions(expressions).matches(labels) and selectors.of_expressions(fields).matches(
        {"metadata.name": name}
    )
