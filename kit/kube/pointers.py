"""JSON patch (RFC 6902) as the API server's library does it, with its liberties: `replace` adds, indices may be negative.

Models github.com/evanphx/json-patch v4 (patch.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from kit.errors import Status
from kit.kube.gotext import compact

MAX_OPERATIONS: Final = 10_000
MAX_COPIED: Final = 3 * 1024 * 1024
MAX_DEPTH: Final = 200

_INDEX = re.compile(r"[+-]?[0-9]{1,18}")
_MISSING: Final = object()

Container = dict[str, Any] | list[Any]


class _Refused(Exception):
    """An operation that does not apply; the API server does not say why."""


def json_patch(obj: Mapping[str, Any], ops: list[Any]) -> dict[str, Any]:
    """Return the object after the operations; raise Status 422 where one does not apply, 413 for too many."""
    if len(ops) > MAX_OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(ops)}"
        raise Status("RequestEntityTooLarge", f"Request entity too large: {text}")
    try:
        document = json.loads(json.dumps(obj))
        run = _Run(document)
        for op in ops:
            run.do(op or {})
        return {key: run.document[key] for key in sorted(run.document)}
    except _Refused:
        raise Status("Invalid", "the server rejected our request due to an error in our request", details={}) from None


class _Run:
    """One patch under way: the document, and how much was copied."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.copied = 0
        self.verbs: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "add": self._add,
            "remove": self._remove,
            "replace": self._replace,
            "move": self._move,
            "copy": self._copy,
            "test": self._test,
        }

    def do(self, op: Mapping[str, Any]) -> None:
        """Carry out one operation."""
        verb = op.get("op")
        if not isinstance(verb, str) or verb not in self.verbs:
            raise _Refused
        self.verbs[verb](op)

    def _add(self, op: Mapping[str, Any]) -> None:
        _insert(*self._find(op.get("path")), op.get("value"))

    def _remove(self, op: Mapping[str, Any]) -> None:
        _delete(*self._find(op.get("path")))

    def _replace(self, op: Mapping[str, Any]) -> None:
        if op.get("path") == "" and isinstance(op.get("value"), dict):
            self.document = op["value"]
            return
        container, key = self._find(op.get("path"))
        if isinstance(container, dict):
            container[key] = op.get("value")
        else:
            container[_index(key, len(container))] = op.get("value")

    def _move(self, op: Mapping[str, Any]) -> None:
        container, key = self._find(op.get("from"))
        value = _get(container, key)
        _delete(container, key)
        _insert(*self._find(op.get("path")), value)

    def _copy(self, op: Mapping[str, Any]) -> None:
        value = _get(*self._find(op.get("from")))
        text = "null" if value is _MISSING else compact(value)
        self.copied += len(text.encode())
        if self.copied > MAX_COPIED:
            raise _Refused
        _insert(*self._find(op.get("path")), json.loads(text))

    def _test(self, op: Mapping[str, Any]) -> None:
        value = _get(*self._find(op.get("path")))
        wanted = op.get("value")
        if not _same(None if value is _MISSING else value, wanted):
            raise _Refused

    def _find(self, path: Any) -> tuple[Container, str]:
        """Return the container a pointer's last part lies in, and that part; what stands before the first / is ignored."""
        parts = path.split("/") if isinstance(path, str) else []
        if not 2 <= len(parts) <= MAX_DEPTH:
            raise _Refused
        parts = [part.replace("~1", "/").replace("~0", "~") for part in parts]
        at: Any = self.document
        for part in parts[1:-1]:
            below = _get(at, part)
            if not isinstance(below, dict | list):
                raise _Refused
            if isinstance(below, dict):
                _sort(below)
            at = below
        return at, parts[-1]


def _sort(container: dict[str, Any]) -> None:
    """Bring the keys of an opened object into order, as the library's maps are written."""
    for key in sorted(container):
        container[key] = container.pop(key)


def _get(container: Container, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key, _MISSING)
    return container[_index(key, len(container))]


def _insert(container: Container, key: str, value: Any) -> None:
    value = None if value is _MISSING else value
    if isinstance(container, dict):
        container[key] = value
        _sort(container)
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(key, len(container) + 1), value)


def _delete(container: Container, key: str) -> None:
    if isinstance(container, dict):
        if key not in container:
            raise _Refused
        del container[key]
    else:
        del container[_index(key, len(container))]


def _index(key: str, size: int) -> int:
    if not _INDEX.fullmatch(key):
        raise _Refused
    at = int(key)
    if not -size <= at < size:
        raise _Refused
    return at + size if at < 0 else at


def _same(left: Any, right: Any) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
