"""What a failed Pod means by podFailurePolicy, and when successPolicy is met.

Models pkg/controller/job/pod_failure_policy.go and success_policy.go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from kit.embedded.controllers.job import indexes
from kit.embedded.core.store import Obj


class Match(NamedTuple):
    """The action of the rule that a failed Pod meets ("" for none), the words of a failed Job, and whether it counts."""

    action: str = ""
    message: str = ""

    @property
    def counts(self) -> bool:
        """Say whether the failure counts towards the back-off limit."""
        return self.action != "Ignore"


def only_failed_are_replaced(job: Obj) -> bool:
    """Say whether a Pod is replaced only once it has ended, not when it begins to."""
    return job["spec"].get("podReplacementPolicy") == "Failed" or bool(job["spec"].get("podFailurePolicy"))


def matched(job: Obj, pod: Obj) -> Match:
    """Return what the first rule that fits says of a failed Pod."""
    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    for number, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        action = rule["action"]
        if rule.get("onExitCodes"):
            found = _container(pod, rule["onExitCodes"])
            code = found["state"]["terminated"]["exitCode"] if found else 0
            words = f"Container {found['name']} for pod {name} failed with exit code {code}" if found else ""
        else:
            condition = _condition(pod, rule.get("onPodConditions") or ())
            words = f"Pod {name} has condition {condition}" if condition else ""
        if words:
            return Match(action, f"{words} matching {action} rule at index {number}" if action == "FailJob" else "")
    return Match()


def _container(pod: Obj, wanted: Mapping[str, object]) -> Obj | None:
    status = pod.get("status") or {}
    values = wanted.get("values")
    for found in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        code = ((found.get("state") or {}).get("terminated") or {}).get("exitCode", 0)
        if code == 0 or wanted.get("containerName") not in (None, found["name"]) or not isinstance(values, list):
            continue
        if (code in values) == (wanted.get("operator") == "In"):
            return dict(found)
    return None


def _condition(pod: Obj, patterns: Collection[Obj]) -> str:
    for found in (pod.get("status") or {}).get("conditions") or ():
        for pattern in patterns:
            if found["type"] == pattern["type"] and found["status"] == pattern.get("status", "True"):
                return str(found["type"])
    return ""


def met(job: Obj, succeeded: Collection[int]) -> str | None:
    """Return in words which rule of successPolicy the succeeded indexes meet, None when none."""
    for number, rule in enumerate((job["spec"].get("successPolicy") or {}).get("rules") or ()):
        named, count = rule.get("succeededIndexes"), rule.get("succeededCount")
        wanted = indexes.parse(named) if named is not None else frozenset(succeeded)
        if len(wanted & set(succeeded)) >= (count if count is not None else len(wanted)):
            return f"Matched rules at index {number}"
    return None
