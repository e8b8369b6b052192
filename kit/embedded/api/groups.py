"""Which group versions discovery tells of, and in which order: those of the registry, and those that APIServices give to other servers.

Models kube-aggregator's apisHandler (pkg/apiserver/handler_apis.go) and apis/apiregistration/v1/helper (SortedByGroupAndVersion).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kit.embedded.api.apiservices import GROUP, RESOURCE
from kit.embedded.core.store import Store
from kit.kube.kinds import Registry

FIRST = 1 << 31  # the aggregator's own group
USUAL = (1000, 100)  # the priorities of a group that a definition makes


class Claim(NamedTuple):
    """A group version that an APIService speaks for; `remote` when another server is to answer."""

    group: str
    version: str
    group_priority: int
    priority: int
    remote: bool


def claims(store: Store) -> tuple[Claim, ...]:
    """Return what the APIServices speak for, if any of them leads to another server: else nothing is to be known of them."""
    found = [obj["spec"] for obj in store.list(RESOURCE)]
    if not any(spec.get("service") for spec in found):
        return ()
    return tuple(
        Claim(
            spec.get("group", ""),
            spec["version"],
            spec["groupPriorityMinimum"],
            spec["versionPriority"],
            bool(spec.get("service")),
        )
        for spec in found
    )


def ordered(registry: Registry, made: tuple[Claim, ...]) -> Mapping[str, tuple[str, ...]]:
    """Return the versions of each group, the preferred one first."""
    groups = registry.groups()
    if not made:
        return groups
    versions: dict[str, dict[str, int]] = {group: dict.fromkeys(listed, USUAL[1]) for group, listed in groups.items()}
    ranks = dict.fromkeys(groups, USUAL[0])
    for group in {one.group for one in made}:
        ranks[group] = max(one.group_priority for one in made if one.group == group)
    ranks[GROUP] = FIRST
    for one in made:
        if one.remote or one.version in groups.get(one.group, ()):
            versions.setdefault(one.group, {})[one.version] = one.priority
    return {
        group: tuple(sorted(versions[group], key=lambda version: (-versions[group][version], version)))
        for group in sorted(versions, key=lambda group: (-ranks[group], group))
    }
