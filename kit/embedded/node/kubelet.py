"""The kubelet of one node: a controller whose keys are the Pods bound to it. Models pkg/kubelet/kubelet.go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.store import Event, Key
from kit.embedded.node.site import Site
from kit.embedded.node.worker import Worker


class Kubelet:
    """Runs the Pods of one node. `host` is what its events carry as source.host and reportingInstance."""

    manager = "kubelet"
    component = "kubelet"

    def __init__(self, site: Site) -> None:
        self.site = site
        self.host = site.name
        self.name = f"kubelet/{site.name}"
        self.user = f"system:node:{site.name}"
        self.watches: Mapping[str, Mapper] = {"pods": self._mine}
        self.workers: dict[Key, list[Worker]] = {}
        self._rebooting: set[str] = set()  # uids of Pods that ran before the process began

    def _mine(self, event: Event, view: View) -> Iterable[Key]:
        return (event.key,) if event.record.obj["spec"].get("nodeName") == self.site.name else ()

    def restarted(self) -> None:
        """The node has come up again: the containers of its Pods are gone, the Pods are the same."""
        self._rebooting = {pod["metadata"]["uid"] for pod in self.site.view.on_node(self.site.name)}

    def worker(self, uid: str) -> Worker | None:
        """Return the worker of a Pod."""
        return next((worker for found in self.workers.values() for worker in found if worker.uid == uid), None)

    def at(self, key: Key, uid: str) -> Worker | None:
        """Return the worker of a Pod by its key."""
        return next((worker for worker in self.workers.get(key, ()) if worker.uid == uid), None)

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Let the workers of this name go on: usually one, two while a namesake is still being stopped."""
        pod = view.at(key)
        workers = self.workers.setdefault(key, [])
        mine = pod is not None and pod["spec"].get("nodeName") == self.site.name
        if pod is not None and mine and all(worker.uid != pod["metadata"]["uid"] for worker in workers):
            uid = pod["metadata"]["uid"]
            workers.append(
                Worker(
                    self.site,
                    key,
                    pod,
                    rebooted=uid in self._rebooting and bool(pod.get("status", {}).get("startTime")),
                )
            )
        for worker in list(workers):
            worker.observe(pod if mine else None)
            yield from worker.drive(now)
            if worker.done and worker.gone:
                workers.remove(worker)
        if not workers:
            self.workers.pop(key, None)
