"""What a controller or a kubelet may do to the cluster: plain values, applied through the API as that controller's own user.

A reconcile generator yields them and is sent the answer: the object the API answered with, or the `Status` error it refused with
(errors are answers, not exceptions: a controller decides). `After` and `Emit` are answered with None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.store import Key, Obj


@dataclass(frozen=True, slots=True)
class Create:
    """Create `obj` (with apiVersion and kind) -> the object."""

    obj: Obj


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the object; `subresource` "status" replaces only its status. A resourceVersion in it is checked -> the object."""

    obj: Obj
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """Patch `key`: `kind` is "merge", "strategic", "json" or "apply" -> the object."""

    key: Key
    patch: Any
    kind: str = "strategic"
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete `key` with DeleteOptions (gracePeriodSeconds, propagationPolicy, preconditions) -> the object or a Status."""

    key: Key
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """Post `obj` to a subresource of `key`, such as "binding" or "eviction" -> the answer."""

    key: Key
    subresource: str
    obj: Obj


@dataclass(frozen=True, slots=True)
class Emit:
    """Record an Event about `regarding`; repeated ones are counted as the client-go recorder does -> None."""

    regarding: Obj
    type: str  # Normal | Warning
    reason: str
    message: str
    field_path: str = ""
    action: str = ""
    related: Obj | None = None


@dataclass(frozen=True, slots=True)
class After:
    """Reconcile this key again in `ms`; the earliest of several wins -> None."""

    ms: int
    housekeeping: bool = False


Effect = Create | Update | Patch | Delete | Call | Emit | After
Answer = Any  # Obj | Status | None
