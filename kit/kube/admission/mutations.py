"""Expressions that make changes: `Object{...}`, laid over an object as server-side apply does, and lists of `JSONPatch{...}`.

Models k8s.io/apiserver/pkg/cel/mutation/{dynamic.go,typeresolver.go,jsonpatch.go} and admission/plugin/policy/mutating/patch.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from celpy import celtypes
from celpy.evaluation import CELEvalError

from kit.errors import Status
from kit.kube.cel.checker import Checker, Tree
from kit.kube.cel.engine import Bounded, Program, RunError, compiled
from kit.kube.cel.types import DYN, ERROR, STRING, Type
from kit.kube.merging import merge
from kit.kube.pointers import json_patch
from kit.kube.shapes import ANYTHING, Shape, shape
from kit.kube.typed import faults

OBJECT: Final = "Object"
PATCH: Final = "JSONPatch"
_OPERATION: Final[Mapping[str, Type]] = {"op": STRING, "path": STRING, "from": STRING, "value": DYN}
_ESCAPED: Final = ("jsonpatch", "escapeKey")

Json = dict[str, Any]


class Made(celtypes.MapType):
    """An object an expression makes, with the name of its type."""

    type_name: str = OBJECT


class _Checks(Checker):
    """Types of what makes changes: a message's fields are free but for those of JSONPatch."""

    def type_of(self, tree: Tree) -> Type:
        """Return the type of a place in the tree."""
        if tree.data == "member_object":
            return self._message(tree)
        if tree.data == "member_dot_arg" and _called(tree) == _ESCAPED and len(tree.children) > 2:
            found = [super(_Checks, self).type_of(one) for one in tree.children[2].children]
            place = self.text.find("(", tree.children[1].end_pos)
            if len(found) == 1 and found[0] in {STRING, DYN, ERROR}:
                return STRING
            listed = ", ".join(map(str, found))
            return self._fail(place, f"found no matching overload for 'jsonpatch.escapeKey' applied to '({listed})'")
        return super().type_of(tree)

    def _message(self, tree: Tree) -> Type:
        name = _dotted(tree.children[0])
        if name != PATCH and name.partition(".")[0] != OBJECT:
            place = self.text.find("{", tree.children[0].meta.end_pos)
            return self._fail(place, f"undeclared reference to '{name}' (in container '')")
        for field, value in _fields(tree):
            found = self.type_of(value)
            if name != PATCH:
                continue
            colon = self.text.find(":", field.end_pos)
            wanted = _OPERATION.get(str(field), Type(""))  # as cel-go words it
            if wanted != DYN and found not in {wanted, DYN, ERROR}:
                self._fail(colon, f"expected type of field '{field}' is '{wanted}' but provided type is '{found}'")
        return Type(name)


class _Makes(Bounded):
    """An evaluator that makes objects."""

    def member_object(self, tree: Tree) -> Any:
        """Make an object of the fields that are given."""
        out = Made()
        out.type_name = _dotted(tree.children[0])
        for field, inner in _fields(tree):
            value = self._visit_tree(inner)
            wrong = _error_in(value)
            if wrong is not None:
                return wrong
            out[celtypes.StringType(str(field))] = value
        return out

    def member_dot_arg(self, tree: Tree) -> Any:
        """Call a method; `jsonpatch.escapeKey` makes a key fit for a path."""
        if _called(tree) != _ESCAPED:
            return super().member_dot_arg(tree)
        value = self._visit_tree(tree.children[2].children[0])
        if isinstance(value, CELEvalError):
            return value
        if not isinstance(value, str):
            return CELEvalError("no such overload", TypeError, None, tree=tree)
        return celtypes.StringType(value.replace("~", "~0").replace("/", "~1"))


def _error_in(value: Any) -> CELEvalError | None:
    """Return the error a value is or holds: cel-python's maps keep those of their values."""
    if isinstance(value, CELEvalError):
        return value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return next((found for found in map(_error_in, inner) if found is not None), None)


def _dotted(tree: Tree) -> str:
    """Return a name with dots, as a type is called."""
    while tree.data != "member_dot" and len(tree.children) == 1 and hasattr(tree.children[0], "data"):
        tree = tree.children[0]
    if tree.data == "member_dot":
        return f"{_dotted(tree.children[0])}.{tree.children[1]}"
    return str(tree.children[0])


def _called(tree: Tree) -> tuple[str, str]:
    return _dotted(tree.children[0]), str(tree.children[1])


def _fields(tree: Tree) -> Iterator[tuple[Any, Tree]]:
    parts = tree.children[1].children if len(tree.children) > 1 else []
    return iter(zip(parts[::2], parts[1::2], strict=True))


def mutation(text: str, variables: Mapping[str, Type]) -> Program:
    """Return an expression that makes a change, or a variable of one; raise CompileError."""
    return compiled(text, variables, checks=_Checks, evaluator=_Makes)


def to_json(value: Any) -> Any:
    """Return what CEL has as JSON."""
    match value:
        case celtypes.BoolType():
            return bool(value)
        case str():
            return str(value)
        case celtypes.BytesType():
            return base64.b64encode(value).decode()
        case int():
            return int(value)
        case float():
            return float(value)
        case list():
            return [to_json(one) for one in value]
        case Mapping():
            return {str(key): to_json(one) for key, one in value.items()}
        case celtypes.TimestampType() | celtypes.DurationType():
            return str(value)
    return None


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
            raise RunError(f"JSON Patch: {_why(out, operation)}") from None
    return out


def _parent(obj: Any, operation: Mapping[str, Any], key: str = "path") -> bool:
    """Return whether what a path leads into is there."""
    path = str(operation.get(key) or "")
    try:
        json_patch(obj, [{"op": "add", "path": path, "value": None}])
    except Status:
        return False
    return True


def _why(obj: Any, operation: Mapping[str, Any]) -> str:
    """Return the library's words for an operation that does not apply."""
    verb, path = str(operation.get("op") or ""), str(operation.get("path") or "")
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
