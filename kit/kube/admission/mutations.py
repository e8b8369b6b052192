"""Expressions that make changes: `Object{...}`, laid over an object as server-side apply does, and lists of `JSONPatch{...}`.

Models k8s.io/apiserver/pkg/cel/mutation/{dynamic.go,typeresolver.go,jsonpatch.go} and admission/plugin/policy/mutating/patch.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit.errors import Status
from kit.kube.cel.checker import Checker
from kit.kube.cel.engine import Program, RunError, compiled
from kit.kube.cel.evaluating import Evaluator
from kit.kube.cel.library.conversions import to_text
from kit.kube.cel.numbers import Duration, Timestamp, type_name
from kit.kube.cel.signatures import ONLY_MUTATING
from kit.kube.cel.tree import Message
from kit.kube.cel.types import DYN, ERROR, STRING, Type
from kit.kube.merging import merge
from kit.kube.pointers import json_patch
from kit.kube.shapes import ANYTHING, Shape, shape
from kit.kube.typed import faults

OBJECT: Final = "Object"
PATCH: Final = "JSONPatch"
_OPERATION: Final[Mapping[str, Type]] = {"op": STRING, "path": STRING, "from": STRING, "value": DYN}

Json = dict[str, Any]


class Made(dict[str, Any]):
    """An object an expression makes, with the name of its type."""

    type_name: str = OBJECT


class _Checks(Checker):
    """Types of what makes changes: a message's fields are free but for those of JSONPatch."""

    extra = ONLY_MUTATING

    def _message(self, node: Message) -> Type:
        if node.name != PATCH and node.name.partition(".")[0] != OBJECT:
            return super()._message(node)
        for one in node.fields:
            found = self.type_of(one.value)
            if node.name != PATCH:
                continue
            wanted = _OPERATION.get(str(one.key), Type(""))  # as cel-go words it
            if wanted != DYN and found not in {wanted, DYN, ERROR}:
                self._fail(
                    one.place, f"expected type of field '{one.key}' is '{wanted}' but provided type is '{found}'"
                )
        return Type(node.name)


class _Makes(Evaluator):
    """An evaluator that makes objects."""

    def made(self, node: Message, fields: dict[str, Any]) -> Any:
        """Return an object of the fields that are given."""
        if node.name != PATCH and node.name.partition(".")[0] != OBJECT:
            return super().made(node, fields)
        out = Made(fields)
        out.type_name = node.name
        return out


def mutation(text: str, variables: Mapping[str, Type]) -> Program:
    """Return an expression that makes a change, or a variable of one; raise CompileError."""
    return compiled(text, variables, checks=_Checks, evaluator=_Makes)


def to_json(value: Any) -> Any:
    """Return what CEL has as JSON; raise RunError for what has no JSON."""
    match value:
        case None | bool() | str() | float():
            return value
        case bytes():
            return base64.b64encode(value).decode()
        case int():
            return int(value)
        case list():
            return [to_json(one) for one in value]
        case Mapping():
            return {str(key): to_json(one) for key, one in value.items()}
        case Timestamp() | Duration():
            return to_text(value)
    raise RunError(f"unsupported conversion to JSON: {type_name(value)}")


# --- ApplyConfiguration ---


def applied(obj: Mapping[str, Any], made: Any, node: Any) -> Json:
    """Return an object with what an expression made laid over it; raise RunError."""
    _check_types(made, OBJECT)
    patch = {**to_json(made), "apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    at = shape(node) if node else ANYTHING
    wrong = [_GOT.sub(_kind, one) for one in faults(at, patch)] if node else []
    if wrong:
        listed = wrong[0] if len(wrong) == 1 else "errors:" + "".join(f"\n  {one}" for one in wrong)
        raise RunError(f"error applying patch: failed to convert patch object to typed object: {listed}")
    atoms = list(_atoms(at, patch, ""))
    if atoms:
        why = f"may not mutate atomic arrays, maps or structs: {', '.join(atoms)}"
        raise RunError(f"error applying patch: invalid ApplyConfiguration: {why}")
    out: Json = merge(at, obj, patch)
    return out


_GOT: Final = re.compile(r"got &value\.valueUnstructured\{Value:(.*)\}$", re.DOTALL)


def _kind(found: re.Match[str]) -> str:
    """Return the Go type of a value that a fault prints: here it is Go's own, there it comes from JSON."""
    text = found[1]
    return "got string" if text.startswith('"') else "got bool" if text in {"true", "false"} else "got int64"


def _check_types(value: Any, path: str) -> None:
    """Want every object made to be of the type its place has."""
    if isinstance(value, Made):
        if value.type_name != path:
            where = f'unexpected type name "{value.type_name}", expected "{path}", which matches field name path from root Object type'
            raise RunError(f"type mismatch: {where}")
        for name, one in value.items():
            _check_types(one, f"{path}.{name!s}")
    elif isinstance(value, list):
        for one in value:
            _check_types(one, path)
    elif isinstance(value, Mapping):
        for one in value.values():
            _check_types(one, path)


def _atoms(at: Shape, value: Any, path: str) -> Iterator[str]:
    """Return the places that are only changed as a whole."""
    if isinstance(value, Mapping) and at.is_map:
        if at.atomic_map:
            yield path
            return
        for name, one in value.items():
            yield from _atoms(at.field(name) or ANYTHING, one, f"{path}.{name}")
    elif isinstance(value, list) and at.is_list:
        if at.atomic_list:
            yield path
            return
        for index, one in enumerate(value):
            yield from _atoms(at.item(), one, f"{path}[{index}]")


# --- JSONPatch ---


def patched(obj: Mapping[str, Any], made: Any) -> Json:
    """Return an object after the operations an expression made, unchanged when a test fails; raise RunError."""
    out: Json = dict(obj)
    for one in made:
        operation = to_json(one)
        try:
            out = json_patch(out, [operation])
        except Status:
            if operation.get("op") == "test" and _parent(out, operation):
                return dict(obj)
            raise RunError(f"JSON Patch: {obstacle(out, operation)}") from None
    return out


def _parent(obj: Any, operation: Mapping[str, Any], key: str = "path") -> bool:
    """Return whether what a path leads into is there."""
    path = str(operation.get(key) or "")
    try:
        json_patch(obj, [{"op": "add", "path": path, "value": None}])
    except Status:
        return False
    return True


def obstacle(obj: Any, operation: Mapping[str, Any]) -> str:
    """Return the library's words for an operation that does not apply."""
    verb, path = str(operation.get("op") or ""), str(operation.get("path") or "")
    if verb == "test" and _parent(obj, operation):
        return f"testing value {path} failed: test failed"
    if verb not in _MISSING:
        return f"Unexpected kind: {verb}"
    source = "from" if verb in {"move", "copy"} else "path"
    if _parent(obj, operation, source) and verb in {"remove", "move"}:
        key = str(operation.get(source)).rpartition("/")[2]
        shown = path if verb == "remove" else key
        return f"error in {verb} for path: '{shown}': Unable to remove nonexistent key: {key}: missing value"
    return _MISSING[verb].format(verb=verb, path=path)


_MISSING: Final[Mapping[str, str]] = {
    **dict.fromkeys(("add", "remove"), '{verb} operation does not apply: doc is missing path: "{path}": missing value'),
    **dict.fromkeys(
        ("replace", "copy", "move"), "{verb} operation does not apply: doc is missing path: {path}: missing value"
    ),
    "test": "{verb} operation does not apply: is missing path: {path}: missing value",
}
