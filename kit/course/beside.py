"""The small embedded cluster beside a learner's own one, for what that one lacks (`needs` of an exercise or a fault)."""

from __future__ import annotations

from kit.providers import choose
from kit.providers.base import Handle, quiet
from kit.providers.embedded import Embedded

_SUFFIX, _LONGEST = "-beside", 40


def name_of(cluster: str) -> str:
    """Return what the cluster beside `cluster` is called."""
    return cluster[: _LONGEST - len(_SUFFIX)] + _SUFFIX


def lacking(provider: str, needs: tuple[str, ...]) -> tuple[str, ...]:
    """Return which needs the clusters of a provider do not meet."""
    offered = choose.provider(provider).capabilities
    return tuple(sorted(need for need in needs if not offered.offers(need)))


def start(cluster: str) -> Handle:
    """Return the cluster beside `cluster`, started when it does not run; what is chosen for this folder stays chosen."""
    return Embedded().up(choose.wish(name_of(cluster)), quiet)
