"""What kubectl does to nodes: taint, cordon, uncordon, drain."""

from __future__ import annotations

from calls import JSON_MERGE, Ran, Words
from whole import Whole


class Upkeep:
    """The commands about nodes, as far as the recordings call them."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole

    def _taint(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        node, told = words.rest[1:]
        taint, _, effect = told.partition(":")
        key, _, value = taint.removesuffix("-").partition("=")
        gone, path = told.endswith("-"), f"/api/v1/nodes/{node}"
        kept = [one for one in self.whole.ask("GET", path)["spec"].get("taints") or () if one["key"] != key]
        made = [] if gone else [{"key": key, "value": value, "effect": effect}]
        self.whole.ask("PATCH", path, {"spec": {"taints": [*kept, *made] or None}}, JSON_MERGE)
        return f"node/{node} {'untainted' if gone else 'tainted'}\n", "", 0

    def _cordon(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        return self._schedulable(words.rest[0], "cordoned", True)

    def _uncordon(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        return self._schedulable(words.rest[0], "uncordoned", None)

    def _debug(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        """Make the Pod of `debug node/NAME --image=I -- COMMAND`."""
        node = words.rest[0].removeprefix("node/")
        mount = {"name": "host-root", "mountPath": "/host"}
        container = {"name": "debugger", "image": words.get("--image"), "command": words.argv, "volumeMounts": [mount]}
        spec = {
            "containers": [container], "nodeName": node, "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}],
            "volumes": [{"name": "host-root", "hostPath": {"path": "/"}}], "hostNetwork": True, "hostPID": True, "hostIPC": True,
        }  # fmt: skip
        name = f"node-debugger-{node}-x7k2p"
        metadata = {"name": name, "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}}
        self.whole.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, self.whole.space)
        return f"Creating debugging pod {name} with container debugger on node {node}.\n", "", 0

    def ready(self, node: str) -> bool:
        """Say whether a node is Ready."""
        conditions = self.whole.ask("GET", f"/api/v1/nodes/{node}")["status"]["conditions"]
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def _wait(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        """Wait for a node to be Ready, as `wait --for=condition=Ready node/NAME --timeout=Ns`."""
        node, limit = words.rest[0].removeprefix("node/"), int(str(words.get("--timeout")).removesuffix("s"))
        assert self.whole.until(lambda: self.ready(node), limit * 1000), node
        return f"node/{node} condition met\n", "", 0

    def _schedulable(self, node: str, done: str, closed: bool | None) -> Ran:
        path = f"/api/v1/nodes/{node}"
        if self.whole.ask("GET", path)["spec"].get("unschedulable") == closed:
            return f"node/{node} already {done}\n", "", 0
        self.whole.ask("PATCH", path, {"spec": {"unschedulable": closed}}, JSON_MERGE)
        return f"node/{node} {done}\n", "", 0

    def _drain(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        """Evict what is on a node, again every 5 s where a budget is against it; without --force there are Pods it leaves alone."""
        self._schedulable(words.rest[0], "cordoned", True)
        if "--force" not in words.flags:
            return None, "", 1
        end = self.whole.now + int(str(words.get("--timeout")).removesuffix("s")) * 1000
        left = [pod["metadata"]["name"] for pod in self.whole.pods() if pod["spec"].get("nodeName") == words.rest[0]]
        evicted: list[str] = []
        while left and self.whole.now < end:
            for name in left:
                body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
                code, _, _ = self.whole.call("POST", f"{self.whole.base}/pods/{name}/eviction", body)
                evicted += [name] if code < 400 else []
            left = [name for name in left if name not in evicted]
            self.whole.pass_time(min(5000, end - self.whole.now) if left else 0)
        self.whole.until(lambda: not any(self.whole.pod(name) for name in evicted), max(0, end - self.whole.now))
        return None, "", 1 if left else 0
