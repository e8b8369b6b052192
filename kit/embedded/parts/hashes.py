"""The hashes in names: of a Pod template (ReplicaSets, DaemonSets) and of a revision's data (StatefulSets).

Models controller.ComputeHash of pkg/controller/controller_utils.go and HashControllerRevision of pkg/controller/history.
"""

from __future__ import annotations

import json
from typing import Any

from kit.embedded.core.ids import ALPHABET
from kit.embedded.core.store import Obj
from kit.kube import godump, gojson

_OFFSET, _PRIME = 0x811C9DC5, 0x01000193


def of_template(template: Obj, collisions: int | None) -> str:
    """Return upstream's hash of a Pod template: FNV-32a over Go's dump of it and the number of collisions, once there were any."""
    said = godump.dump("v1.PodTemplateSpec", template).encode()
    counted = b"" if collisions is None else (collisions % 2**32).to_bytes(8, "little")
    value = _OFFSET
    for byte in said + counted:
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return _encoded(value)


def of_data(data: Any, collisions: int) -> str:
    """Return upstream's hash of a revision's data: FNV-32 over its JSON and the number of collisions."""
    text = gojson.escaped(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    value = _OFFSET
    for byte in f"{text}{collisions}".encode():
        value = value * _PRIME & 0xFFFFFFFF ^ byte
    return _encoded(value)


def _encoded(value: int) -> str:
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(value))
