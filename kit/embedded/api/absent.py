"""Kinds that are kept and shown but that nothing acts on in the embedded cluster yet: whoever makes one is told so at once.

A line goes when its controller comes.
"""

from __future__ import annotations

from collections.abc import Mapping

# resource -> (kind, what does not happen)
UNWATCHED: Mapping[str, tuple[str, str]] = {
    "ingresses.networking.k8s.io": ("Ingress", "nothing is routed by it"),
}


def warnings(resource: str) -> tuple[str, ...]:
    """Return what the maker of such an object is warned of, nothing for the kinds that are acted on."""
    if resource not in UNWATCHED:
        return ()
    kind, lack = UNWATCHED[resource]
    return (
        f"nothing acts on {kind} objects in the embedded cluster yet: {lack}; a kind cluster does (--provider kind)",
    )
