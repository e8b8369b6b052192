"""Whatever is done to a Deployment of healthy Pods: never too many, never too few, complete in the end, nothing left over."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import MERGE, Stage

from kit.embedded.controllers.scheduler.occupancy import Load, seat

PATH = "/apis/apps/v1/namespaces/default/deployments/web"
PODS = "/api/v1/namespaces/default/pods"

operations = st.one_of(
    st.tuples(st.just("image"), st.integers(1, 4)),
    st.tuples(st.just("scale"), st.integers(0, 6)),
    st.tuples(st.just("pause"), st.just(0)),
    st.tuples(st.just("resume"), st.just(0)),
    st.tuples(st.just("undo"), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 5)),
)
bounds = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any)
steps = st.lists(st.tuples(operations, st.sampled_from((0, 60, 150, 2000))), min_size=1, max_size=6)


def deployment(replicas: int, surge: int, unavailable: int) -> dict[str, Any]:
    """Return a Deployment of Pods that become ready."""
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    container = {"name": "c", "image": "facts/ready:1"}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "template": template,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


class Watcher:
    """Looks at the Pods after everything that happens."""

    def __init__(self, stage: Stage, replicas: int, surge: int, unavailable: int) -> None:
        self.stage, self.surge, self.unavailable = stage, surge, unavailable
        self.most = self.least = replicas  # the sizes that were wanted while the present Pods came to be
        self.disturbed = True  # until it has first been complete, and after Pods were deleted

    def run(self, ms: int) -> None:
        """Let time pass; look each time when all that an instant brings has been done."""
        end = self.stage.clock.now + ms
        while self.stage.step(end):
            due = self.stage.queue.next_due()
            if due is None or due > self.stage.clock.now:
                self.check()
        self.stage.clock.now = end

    def check(self) -> None:
        """Count what is there and what is available."""
        found = self.stage.store.list("pods", "default")
        living = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        ready = [pod for pod in living if _ready(pod)]
        assert len(living) <= self.most + self.surge
        assert self.disturbed or len(ready) >= self.least - self.unavailable

    def settled(self) -> bool:
        """Say whether the rollout is done; from then on only the present size counts."""
        found = self.stage.ask("GET", PATH)
        wanted, status = found["spec"]["replicas"], found.get("status", {})
        counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
        done = counts == [wanted] * 3 and status.get("observedGeneration") == found["metadata"]["generation"]
        if done:
            self.most = self.least = wanted
            self.disturbed = False
        return done


def _ready(pod: dict[str, Any]) -> bool:
    told = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in told)


def act(watcher: Watcher, what: str, value: int) -> None:
    """Do one thing to the Deployment."""
    stage = watcher.stage
    if what == "image":
        container = {"name": "c", "image": f"facts/ready:{value}"}
        stage.ask("PATCH", PATH, {"spec": {"template": {"spec": {"containers": [container]}}}}, MERGE)
    elif what == "scale":
        watcher.most, watcher.least = max(watcher.most, value), min(watcher.least, value)
        stage.ask("PATCH", f"{PATH}/scale", {"spec": {"replicas": value}}, MERGE)
    elif what in ("pause", "resume"):
        stage.ask("PATCH", PATH, {"spec": {"paused": what == "pause"}}, MERGE)
    elif what == "undo":
        undo(stage)
    else:
        living = [pod for pod in stage.ask("GET", PODS)["items"] if "deletionTimestamp" not in pod["metadata"]]
        if value < len(living):
            watcher.disturbed = True
            stage.ask("DELETE", f"{PODS}/{living[value]['metadata']['name']}")


def undo(stage: Stage) -> None:
    """Go back to the template of the revision before, as `kubectl rollout undo` does."""
    sets = stage.ask("GET", "/apis/apps/v1/namespaces/default/replicasets")["items"]
    numbered = sorted(sets, key=lambda rs: int(rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))
    if len(numbered) > 1:
        stage.ask("PATCH", PATH, {"spec": {"template": {"spec": numbered[-2]["spec"]["template"]["spec"]}}}, MERGE)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 99), replicas=st.integers(0, 6), bound=bounds, todo=steps)
def test_a_deployment_keeps_its_bounds(seed: int, replicas: int, bound: tuple[int, int], todo: list[Any]) -> None:
    """Bounds hold at every instant, and in the end the Deployment is complete and alone."""
    stage = Stage(seed)
    surge, unavailable = bound
    stage.create(deployment(replicas, surge, unavailable))
    watcher = Watcher(stage, replicas, surge, unavailable)
    watcher.run(3000)
    assert watcher.settled()
    for (what, value), wait in todo:
        act(watcher, what, value)
        watcher.run(wait)
        watcher.settled()
    stage.ask("PATCH", PATH, {"spec": {"paused": False}}, MERGE)
    watcher.run(60_000)
    assert watcher.settled()
    check_end(stage)


def check_end(stage: Stage) -> None:
    """Check that the Pods are those of the newest ReplicaSet, with the Deployment's image, and owned."""
    found = stage.ask("GET", PATH)
    sets = {
        rs["metadata"]["uid"]: rs for rs in stage.ask("GET", "/apis/apps/v1/namespaces/default/replicasets")["items"]
    }
    pods = stage.ask("GET", PODS)["items"]
    assert len(pods) == found["spec"]["replicas"]
    image = found["spec"]["template"]["spec"]["containers"][0]["image"]
    assert all(pod["spec"]["containers"][0]["image"] == image for pod in pods)
    assert all(pod["metadata"]["ownerReferences"][0]["uid"] in sets for pod in pods)
    assert sum(rs["spec"]["replicas"] for rs in sets.values()) == found["spec"]["replicas"]
    told = {one["type"]: (one["status"], one["reason"]) for one in found["status"]["conditions"]}
    assert told["Available"] == ("True", "MinimumReplicasAvailable")
    check_occupancy(stage)


def check_occupancy(stage: Stage) -> None:
    """Check that what the scheduler kept from events is what a recount gives."""
    kept = stage.engine.controllers["default-scheduler"]._occupancy.loads
    for node in stage.store.list("nodes"):
        name = node["metadata"]["name"]
        recount = Load.of(seat(pod) for pod in stage.store.by_index("pods", "node", name))
        held = kept.get(name, Load())
        assert set(held.seats) == set(recount.seats)
        assert +held.requested == +recount.requested
        assert held.parents == recount.parents
