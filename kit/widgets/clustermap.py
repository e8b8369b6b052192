"""The live map of a namespace."""

from __future__ import annotations

from kit.client.connect import Connection
from kit.client.objects import Objects
from kit.view import graph
from kit.widgets.feed import Feed
from kit.widgets.picture import Picture

KINDS = ("ingress", "service", "deployment", "replicaset", "statefulset", "pod")
TITLES = {"en": "Namespace {name}", "zh": "命名空间 {name}"}


class ClusterMap(Picture):
    """Ingress, Service, Deployment, ReplicaSet and Pod in columns; follows the cluster until `close`."""

    def __init__(self, connection: Connection, namespace: str, *, lang: str = "en", live: bool = True) -> None:
        title = TITLES[lang].format(name=namespace)
        memory = graph.Memory()
        feed = Feed(
            Objects(connection, namespace), KINDS, lambda objects: self.show(graph.scene(objects, title, memory))
        )
        super().__init__(graph.scene(feed.read(), title, memory))
        self._feed = feed
        if live:
            feed.start()

    def close(self) -> None:
        """Stop following and let go."""
        self._feed.stop()
        super().close()
