"""Writing statuses: only what has changed, and a refusal is raised, so that the key comes again."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.effects import Update
from kit.embedded.core.store import Obj
from kit.errors import Status


def status(obj: Obj, computed: Obj) -> Any:
    """Write a status unless it is the one that is there; return the object as it is then."""
    if computed == (obj.get("status") or {}):
        return obj
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return checked((yield Update({**obj, "metadata": metadata, "status": computed}, "status")))


def checked(answer: Any) -> Any:
    """Return an answer, raise a refusal."""
    if isinstance(answer, Status):
        raise answer
    return answer
