"""The live placement board: nodes with their Pods."""

from __future__ import annotations

from typing import Any

from kit.client.connect import Connection
from kit.client.objects import Objects
from kit.view import placement
from kit.view.scene import Scene
from kit.widgets.feed import Feed
from kit.widgets.picture import Picture

WORDS = {
    "en": ("Pods of {name} on their nodes", "waiting for a node"),
    "zh": ("{name} 的 Pod 与所在节点", "等待分配节点"),
}


class PlacementBoard(Picture):
    """Nodes as frames, the namespace's Pods inside, a bar for what they request; follows the cluster until `close`."""

    def __init__(self, connection: Connection, namespace: str, *, lang: str = "en", live: bool = True) -> None:
        title, waiting = (words.format(name=namespace) for words in WORDS[lang])

        def scene(objects: list[dict[str, Any]]) -> Scene:
            nodes = [obj for obj in objects if obj["kind"] == "Node"]
            return placement.scene(nodes, [obj for obj in objects if obj["kind"] == "Pod"], title, waiting)

        feed = Feed(Objects(connection, namespace), ("node", "pod"), lambda objects: self.show(scene(objects)))
        super().__init__(scene(feed.read()))
        self._feed = feed
        if live:
            feed.start()

    def close(self) -> None:
        """Stop following and let go."""
        self._feed.stop()
        super().close()
