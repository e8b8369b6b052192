"""Patches of every media type: decoding their bodies, and applying them to an object.

Models k8s.io/apiserver/pkg/endpoints/handlers/patch.go and github.com/evanphx/json-patch (merge.go). Server-side apply
has its own file, since it needs the managers: `apply.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit.errors import Status
from kit.kube import jsonsyntax, literals, yamltext
from kit.kube.gotext import compact, plain
from kit.kube.pointers import MAX_DEPTH, json_patch
from kit.kube.schema import Node
from kit.kube.strategic import strategic_merge_patch

JSON: Final = "application/json-patch+json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

_OPS: Final = "[]handlers.jsonPatchOp"
_OBJECT: Final = "map[string]interface {}"
_OP_FIELDS: Final = frozenset({"op", "path", "from", "value"})
_OP_TEXTS: Final = ("op", "path", "from")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A patch's value, and what strict decoding has to say about it ('duplicate field "data.a"')."""

    value: Any
    strict: tuple[str, ...] = ()


def patched(media_type: str, obj: Mapping[str, Any], patch: Any, node: Node | None) -> dict[str, Any]:
    """Return the object after a patch that is decoded already."""
    if media_type == JSON:
        out = json_patch(obj, patch)
    elif media_type == MERGE:
        out = merge_patch(obj, patch)
    elif media_type == STRATEGIC and node is not None:
        out = strategic_merge_patch(obj, patch, node)
    else:
        raise Status("UnsupportedMediaType", "415: Unsupported Media Type", details={})
    if _depth_over(out, 2 * MAX_DEPTH):
        raise Status("Invalid", "the server rejected our request due to an error in our request", details={})
    return out


def decode_patch(media_type: str, body: bytes | str) -> Decoded:
    """Return a patch body as a value; raise Status 400 where it is none."""
    if media_type == APPLY:
        return Decoded(_decode_yaml(body))
    value, doubles = _decode_json(media_type, body)
    if media_type == JSON:
        return Decoded(_operations(value), tuple(f"json patch {text}" for text in (*doubles, *_unknown(value))))
    if value is None and media_type == MERGE:
        raise Status("BadRequest", "Invalid JSON Patch")
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        prefix = "" if media_type == STRATEGIC else "error decoding patch: "
        raise Status("BadRequest", f"{prefix}json: cannot unmarshal {_word(value)} into Go value of type {_OBJECT}")
    return Decoded(value, tuple(doubles))


def patch_rejected(media_type: str, result: Any, patch: Any, why: str) -> Status:
    """Return the 422 for a patch whose result is no object of the kind; `why` is the decoder's text."""
    shown = f'"{plain(patch)}"' if media_type == STRATEGIC else json.dumps(_spelled(result), ensure_ascii=False)
    text = f"Invalid value: {shown}: {why}"
    cause = {"reason": "FieldValueInvalid", "message": text, "field": "patch"}
    return Status("Invalid", f' "" is invalid: patch: {text}', details={"causes": [cause]})


def _spelled(result: Any) -> str:
    return literals.as_written(compact(literals.spelled(result)))


def merge_patch(obj: Any, patch: Any) -> Any:
    """Return the target after a JSON merge patch (RFC 7386); nulls of what the target lacks are dropped."""
    if not isinstance(patch, Mapping):
        return patch
    out = dict(obj) if isinstance(obj, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge_patch(out.get(key), value)
    return {key: out[key] for key in sorted(out)}


class _Pairs(dict[str, Any]):
    """An object that remembers which keys it was given twice."""

    doubles: tuple[str, ...] = ()


def _collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) == len(pairs):
        return out
    seen = set[str]()
    marked = _Pairs(out)
    marked.doubles = tuple(dict.fromkeys(k for k, _ in pairs if k in seen or seen.add(k)))  # type: ignore[func-returns-value]
    return marked


def _decode_json(media_type: str, body: bytes | str) -> tuple[Any, list[str]]:
    data = body.encode() if isinstance(body, str) else body
    if deep := jsonsyntax.too_deep(data, MAX_DEPTH):
        raise Status("BadRequest", f"error decoding patch: {deep}")
    try:
        value = literals.loads(data.decode("utf-8", "replace"), _collect, whole=media_type == STRATEGIC)
    except ValueError:
        raise Status("BadRequest", "invalid JSON patch") from None
    return value, list(_doubles(value, ""))


def _doubles(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key in getattr(value, "doubles", ()):
            yield f'duplicate field "{path}{key}"'
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                yield from _doubles(item, f"{path}{key}." if isinstance(item, Mapping) else f"{path}{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _doubles(item, f"{path}[{index}]." if isinstance(item, Mapping) else f"{path}[{index}]")


def _depth_over(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = (
            [
                below
                for item in level
                for below in (item.values() if isinstance(item, dict) else item)
                if isinstance(below, dict | list)
            ]
            if isinstance(value, dict | list)
            else []
        )
        if not level:
            return False
    return True


def _operations(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Status(
            "BadRequest", f"error decoding patch: json: cannot unmarshal {_word(value)} into Go value of type {_OPS}"
        )
    for op in value:
        if op is not None and not isinstance(op, Mapping):
            text = f"json: cannot unmarshal {_word(op)} into Go value of type handlers.jsonPatchOp"
            raise Status("BadRequest", f"error decoding patch: {text}")
        for key in _OP_TEXTS:
            said = op.get(key) if op else None
            if not isinstance(said, str | None):
                text = f"json: cannot unmarshal {_word(said)} into Go struct field jsonPatchOp.{key} of type string"
                raise Status("BadRequest", f"error decoding patch: {text}")
    return value


def _unknown(ops: Any) -> Iterable[str]:
    for index, op in enumerate(ops or ()):
        for key in op or ():
            if key not in _OP_FIELDS:
                yield f'unknown field "[{index}].{key}"'


def _word(value: Any) -> str:
    """Return what encoding/json calls a value of this type."""
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


def _decode_yaml(body: bytes | str) -> dict[str, Any]:
    data = body.encode() if isinstance(body, str) else body
    quick = _as_json(data)
    if quick is not None:
        return quick
    try:
        value = yamltext.load(data)[0]
    except yamltext.YamlError as error:  # what looks like JSON is converted only when it is decoded
        like_json = data.lstrip().startswith(b"{")
        doing = "error decoding patch: error converting YAML to JSON" if like_json else "error encoding patch"
        raise Status("BadRequest", f"{doing}: {error}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        text = f"json: cannot unmarshal {_word(value)} into Go value of type {_OBJECT}"
        raise Status("BadRequest", f"error decoding patch: error unmarshaling JSON: while decoding JSON: {text}")
    return value


def _as_json(data: bytes) -> dict[str, Any] | None:
    """Return an object that is JSON (what kubectl sends as YAML), read many times faster; None for anything else."""
    if not data.startswith(b"{") or jsonsyntax.too_deep(data, MAX_DEPTH):
        return None
    try:
        value = literals.loads(data.decode(), whole=True)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
