"""Lists as they were at an earlier revision: the present one with what has happened since taken back.

Models the snapshots of k8s.io/apiserver/pkg/storage/cacher/store_btree.go: as far back as the window of events reaches.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.core.store import Key, Record, Store


def items(store: Store, resource: str, namespace: str | None, revision: int) -> Sequence[tuple[Key, Record]]:
    """Return (key, record) of a resource at a revision, in the order of keys. Expired (410) when it is no longer known."""
    present = store.items(resource, namespace)
    if revision >= store.revision:
        return present
    since = list(store.since(resource, revision))
    if not since:
        return present
    found = dict(present)
    for event in reversed(since):
        if namespace is not None and event.key.namespace != namespace:
            continue
        if event.old is None:
            found.pop(event.key, None)
        else:
            found[event.key] = event.old
    return sorted(found.items(), key=lambda one: one[0])
