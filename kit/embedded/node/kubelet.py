"""The kubelet of one node: a controller whose keys are the Pods bound to it. Models pkg/kubelet/kubelet.go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kit.embedded.core.controller import Effects, Mapper, View, pod_key
from kit.embedded.core.effects import After
from kit.embedded.core.store import Event, Key
from kit.embedded.node.power import cut
from kit.embedded.node.site import Site
from kit.embedded.node.volumes import Volumes
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
        self.on = True
        self._up = 0  # when it begins to look at Pods
        self._rebooting: set[str] = set()  # uids of Pods that ran before the process began
        self._disks: dict[str, Volumes] = {}  # volumes of Pods that ran when the node went off, by uid

    def _mine(self, event: Event, view: View) -> Iterable[Key]:
        return (event.key,) if event.record.obj["spec"].get("nodeName") == self.site.name else ()

    def restarted(self) -> None:
        """The node has come up again: the containers of its Pods are gone, the Pods are the same."""
        self._rebooting = {pod["metadata"]["uid"] for pod in self.site.view.on_node(self.site.name)}

    def cut(self) -> None:
        """The node goes off."""
        self.on = False
        for worker in [one for found in self.workers.values() for one in found]:
            self._disks[worker.uid] = worker.volumes
            cut(worker)
        self.workers.clear()

    def boot(self, up: int) -> list[Key]:
        """The node comes up; return the Pods to look at when it is `up` (ms)."""
        self.on = True
        self._up = up
        self.restarted()
        self._disks = {uid: disk for uid, disk in self._disks.items() if uid in self._rebooting}
        return [pod_key(pod) for pod in self.site.view.on_node(self.site.name)]

    def worker(self, uid: str) -> Worker | None:
        """Return the worker of a Pod."""
        return next((worker for found in self.workers.values() for worker in found if worker.uid == uid), None)

    def at(self, key: Key, uid: str) -> Worker | None:
        """Return the worker of a Pod by its key."""
        return next((worker for worker in self.workers.get(key, ()) if worker.uid == uid), None)

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Let the workers of this name go on: usually one, two while a namesake is still being stopped."""
        if not self.on:
            return
        if now < self._up:
            yield After(self._up - now)
            return
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
                    disk=self._disks.pop(uid, None),
                )
            )
        for worker in list(workers):
            worker.observe(pod if mine else None)
            yield from worker.drive(now)
            if worker.done and worker.gone:
                workers.remove(worker)
        if not workers:
            self.workers.pop(key, None)
