"""Warnings: what the API server accepts and says something about, word by word.

One table says by kind what is looked at. Models the WarningsOnCreate and WarningsOnUpdate of pkg/registry/*/strategy.go.
"""

from __future__ import annotations

from kit.kube.kinds import Resource
from kit.kube.warnings.kinds import KINDS
from kit.kube.warnings.pods import Obj

__all__ = ["warnings"]


def warnings(obj: Obj, resource: Resource) -> list[str]:
    """Return what the writer of an object is warned of."""
    found = KINDS.get(resource.group_kind)
    return list(dict.fromkeys(found(obj))) if found else []
