"""Watch a collection: list once, then yield every change; a watch that expired begins anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from kit.client.objects import Object, Objects
from kit.errors import Status


@dataclass(frozen=True)
class Change:
    """One change: `type` is ADDED, MODIFIED or DELETED."""

    type: str
    object: Object


def watch(
    objects: Objects,
    kind: str,
    namespace: str | None = None,
    *,
    labels: str = "",
    everywhere: bool = False,
    since: int | None = None,
    timeout_s: int = 300,
) -> Iterator[Change]:
    """Yield the present objects as ADDED (none when `since` gives a revision), then changes, for `timeout_s` at most."""
    resource = objects.resources.find(kind)
    path = resource.path(None if everywhere else namespace or objects.namespace)
    query = {"labelSelector": labels} if labels else {}
    if since is None:
        listing = objects.connection.json("GET", path, query=query)
        since = int(listing["metadata"]["resourceVersion"])
        typed = {"apiVersion": resource.api_version, "kind": resource.kind}
        for item in listing.get("items") or []:
            yield Change("ADDED", {**typed, **item})
    options = {
        **query,
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": str(since),
        "timeoutSeconds": str(timeout_s),
    }
    for line in objects.connection.lines(path, options, timeout_s + 10):
        event = json.loads(line)
        if event["type"] == "ERROR":
            body = event["object"]
            raise Status(body.get("reason", ""), body.get("message", ""), code=body.get("code"))
        if event["type"] != "BOOKMARK":
            yield Change(event["type"], event["object"])
