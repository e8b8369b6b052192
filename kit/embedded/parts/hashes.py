"""The hashes in names: of a Pod template (ReplicaSets, DaemonSets) and of a revision's data (StatefulSets).

Models controller.ComputeHash of pkg/controller/controller_utils.go and HashControllerRevision of pkg/controller/history.
"""

from __future__ import annotations

import json
from typing import Any

from kit.embedded.core.ids import ALPHABET
from kit.embedded.core.store import Obj

_OFFSET, _PRIME = 0x811C9DC5, 0x01000193
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}  # as Go's encoding/json writes them


def of_template(template: Obj, collisions: int) -> str:
    """Return a stable hash of a template in the alphabet of names; FNV-32a as upstream, over JSON (Go's dump can't be had)."""
    value = _OFFSET
    for byte in json.dumps([template, collisions], sort_keys=True).encode():
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return _encoded(value)


def of_data(data: Any, collisions: int) -> str:
    """Return upstream's hash of a revision's data: FNV-32 over its JSON and the number of collisions."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).translate(_ESCAPED)
    value = _OFFSET
    for byte in f"{text}{collisions}".encode():
        value = value * _PRIME & 0xFFFFFFFF ^ byte
    return _encoded(value)


def _encoded(value: int) -> str:
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(value))
