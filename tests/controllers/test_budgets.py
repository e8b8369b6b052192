"""Disruption budgets: statuses, events and answers as a real cluster (1.37.2) gave for the same Pods."""

from __future__ import annotations

from typing import Any

import pytest
from stage import MERGE, Stage

PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."


@pytest.fixture
def stage() -> Stage:
    """Return a stage."""
    return Stage()


def pod(stage: Stage, name: str, image: str, **metadata: Any) -> None:
    """Make a Pod with a finalizer, so that it is still there when it was evicted."""
    about = {"name": name, "labels": {"app": "a"}, "finalizers": ["example.com/look"], **metadata}
    spec = {
        "containers": [{"name": "c", "image": f"facts/{image}:1"}],
        "nodeName": "facts-node-1",
        "restartPolicy": "Never",
    }
    stage.create({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec})
    stage.settle()


def budget(stage: Stage, **spec: Any) -> None:
    """Make a budget for the Pods."""
    whole = {"selector": {"matchLabels": {"app": "a"}}, **spec}
    stage.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": whole})
    stage.settle()


def counts(stage: Stage) -> tuple[int, ...]:
    """Return allowed, healthy, desired, expected."""
    found = stage.ask("GET", f"{BUDGETS}/b")["status"]
    return tuple(found[key] for key in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"))


def evict(stage: Stage, name: str, query: str = "") -> tuple[int, str, str]:
    """Evict a Pod; code, message and cause."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    code, answer, _ = stage.call("POST", f"{PODS}/{name}/eviction{query}", body)
    causes = (answer.get("details") or {}).get("causes") or [{}]
    return code, answer.get("message", ""), causes[0].get("message", "")


def events(stage: Stage) -> set[tuple[str, str, str]]:
    """Return what was said of the budget."""
    found = stage.ask("GET", "/api/v1/namespaces/default/events")["items"]
    return {
        (e["type"], e["reason"], e["message"]) for e in found if e["involvedObject"]["kind"] == "PodDisruptionBudget"
    }


def test_a_budget_is_spent_once(stage: Stage) -> None:
    """The first eviction takes what is allowed; what is not ready goes at no cost; a dry run takes nothing."""
    for name, image in (("a1", "ready"), ("a2", "ready"), ("a3", "unready")):
        pod(stage, name, image)
    budget(stage, minAvailable=1)
    assert counts(stage) == (1, 2, 1, 3)
    assert evict(stage, "a1", "?dryRun=All")[0] == 201
    assert counts(stage) == (1, 2, 1, 3)
    assert evict(stage, "a1")[0] == 201
    stage.settle()
    assert evict(stage, "a2") == (429, VIOLATED, "The disruption budget b needs 1 healthy pods and has 1 currently")
    assert evict(stage, "a3")[0] == 201
    assert evict(stage, "a1")[0] == 201, "it is being deleted already"
    gone = stage.ask("GET", f"{PODS}/a1")
    (told,) = [one for one in gone["status"]["conditions"] if one["type"] == "DisruptionTarget"]
    assert (told["reason"], told["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")
    assert "deletionTimestamp" in gone["metadata"]
    (said,) = stage.ask("GET", f"{BUDGETS}/b")["status"]["conditions"]
    assert (said["status"], said["reason"]) == ("False", "InsufficientPods")


def test_a_new_budget_is_not_counted_yet(stage: Stage) -> None:
    """Until the controller has seen a budget, it allows nothing and says when to ask again."""
    pod(stage, "a1", "ready")
    spec = {"selector": {"matchLabels": {"app": "a"}}, "minAvailable": 0}
    stage.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec})
    assert evict(stage, "a1") == (429, VIOLATED, "The disruption budget b is still being processed by the server.")
    stage.settle()
    assert evict(stage, "a1")[0] == 201


def test_pods_of_nobody(stage: Stage) -> None:
    """How many Pods without an owner there should be can't be said: nothing is allowed, and an event tells why."""
    pod(stage, "a1", "ready")
    pod(stage, "a2", "unready")
    budget(stage, maxUnavailable=0)
    assert counts(stage) == (0, 1, 0, 0)
    for name in ("a1", "a2"):
        assert evict(stage, name) == (429, VIOLATED, "The disruption budget b does not allow evicting pods currently")
    ((kind, reason, message),) = events(stage)
    assert (kind, reason) == ("Warning", "UnmanagedPods")
    selector = "&LabelSelector{MatchLabels:map[string]string{app: a,},MatchExpressions:[]LabelSelectorRequirement{},}"
    assert message.startswith(
        f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged."
    )


def test_pods_of_an_owner_that_has_no_scale(stage: Stage) -> None:
    """A Job does not say how many Pods it wants: the status says so, and no generation was observed."""
    job = {
        "template": {"spec": {"containers": [{"name": "c", "image": "x"}], "restartPolicy": "Never"}},
        "managedBy": "example.com/other",  # so that ours leaves it alone
    }
    stage.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": job})
    uid = stage.ask("GET", "/apis/batch/v1/namespaces/default/jobs/j")["metadata"]["uid"]
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": uid, "controller": True}
    pod(stage, "a1", "ready", ownerReferences=[reference])
    budget(stage, maxUnavailable=1)
    status = stage.ask("GET", f"{BUDGETS}/b")["status"]
    why = "jobs.batch does not implement the scale subresource"
    assert [(one["status"], one["reason"], one["message"]) for one in status["conditions"]] == [
        ("False", "SyncFailed", why)
    ]
    assert "observedGeneration" not in status
    assert events(stage) == {
        ("Warning", "CalculateExpectedPodCountFailed", f"Failed to calculate the number of expected pods: {why}")
    }


@pytest.mark.parametrize(("policy", "code"), [("IfHealthyBudget", 429), ("AlwaysAllow", 201)])
def test_what_is_not_ready_under_a_budget_that_is_short(stage: Stage, policy: str, code: int) -> None:
    """It goes only when the budget says that such Pods always may."""
    pod(stage, "a1", "unready")
    budget(stage, minAvailable=2, unhealthyPodEvictionPolicy=policy)
    assert counts(stage) == (0, 0, 2, 1)
    assert evict(stage, "a1")[0] == code


def test_a_budget_for_nothing(stage: Stage) -> None:
    """A budget without Pods allows nothing and says so."""
    budget(stage, minAvailable=1)
    assert counts(stage) == (0, 0, 1, 0)
    assert events(stage) == {("Normal", "NoPods", "No matching pods found")}


def test_an_eviction_that_did_not_happen(stage: Stage) -> None:
    """A Pod that was to be disrupted and is still there after two minutes is no longer said to be."""
    pod(stage, "a1", "ready")
    said = {"type": "DisruptionTarget", "status": "True", "reason": "R", "lastTransitionTime": stage.clock.text()}
    patch = {"status": {"conditions": [said]}}
    strategic = {"content-type": "application/strategic-merge-patch+json"}
    stage.ask("PATCH", f"{PODS}/a1/status", patch, strategic)
    stage.pass_time(119_000)
    found = {one["type"]: one for one in stage.ask("GET", f"{PODS}/a1")["status"]["conditions"]}
    assert found["DisruptionTarget"]["status"] == "True"
    stage.pass_time(2_000)
    found = {one["type"]: one for one in stage.ask("GET", f"{PODS}/a1")["status"]["conditions"]}
    assert found["DisruptionTarget"]["status"] == "False"
    assert "reason" not in found["DisruptionTarget"]


def test_an_evicted_pod_that_is_not_deleted_counts_again(stage: Stage) -> None:
    """What the eviction noted is forgotten after two minutes when no deletion came of it, with a warning."""
    pod(stage, "a1", "ready")
    pod(stage, "a2", "ready")
    budget(stage, minAvailable=1)
    noted = {"status": {"disruptedPods": {"a1": stage.clock.text()}, "disruptionsAllowed": 0}}
    stage.ask("PATCH", f"{BUDGETS}/b/status", noted, MERGE)
    stage.settle()
    assert counts(stage) == (0, 1, 1, 2)
    stage.pass_time(121_000)
    assert counts(stage) == (1, 2, 1, 2)
    assert "disruptedPods" not in stage.ask("GET", f"{BUDGETS}/b")["status"]
    listed = stage.ask("GET", "/api/v1/namespaces/default/events")["items"]
    (told,) = [one["message"] for one in listed if one["reason"] == "NotDeleted"]
    assert told == "Pod was expected by PDB default/b to be deleted but it wasn't"
