"""An object against its shape: is it well-formed, which fields does it set, what changed between two of them.

Models sigs.k8s.io/structured-merge-diff/typed (validate.go, tofieldset.go, compare.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.kube.fields import FieldSet, element_text, recursive_difference, union
from kit.kube.gotext import plain, syntax
from kit.kube.shapes import ANYTHING, BadItemError, Shape

_FITS: dict[str, tuple[type, ...]] = {"numeric": (int, float), "string": (str,), "boolean": (bool,)}
_PLAIN = (str, int, float)  # bool is an int
_EXPECTED = {"numeric": "numeric (int or float)", "string": "string", "boolean": "boolean"}


@dataclass(slots=True)
class Change:
    """What differs between two objects, as three sets without common paths."""

    added: FieldSet = field(default_factory=dict)
    modified: FieldSet = field(default_factory=dict)
    removed: FieldSet = field(default_factory=dict)

    def taken(self) -> FieldSet:
        """Return the paths that whoever made the change now owns."""
        return union(self.modified, self.added)

    def without(self, ignored: FieldSet) -> Change:
        """Return the change less the ignored paths and all below them."""
        parts = (self.added, self.modified, self.removed)
        return Change(*(recursive_difference(part, ignored) for part in parts))

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)


def form(at: Shape, value: Any) -> str:
    """Return how a value is treated in this place: map, list, or leaf."""
    if isinstance(value, Mapping):
        return "map" if at.is_map else "leaf"
    if isinstance(value, list):
        return "list" if at.is_list and not (at.is_map and not at.scalar) else "leaf"
    if value is None:
        return "map" if at.is_map else "list" if at.is_list and not at.scalar else "leaf"
    return "leaf"


def faults(at: Shape, value: Any, path: str = "", *, duplicates: bool = False) -> list[str]:
    """Return what is wrong with a value, in the API server's words; `duplicates` allows double items."""
    if value is None:
        return []
    if isinstance(value, Mapping) and at.is_map:
        return _map_faults(at, value, path, duplicates)
    if isinstance(value, list) and at.is_list:
        return _list_faults(at, value, path, duplicates)
    if isinstance(value, Mapping | list) and at.scalar == "untyped" and not (at.is_map or at.is_list):
        return [_fault(path, f"expected scalar, got {_go(value)}")]
    if not at.scalar:
        return [_fault(path, f"expected {'map' if at.is_map else 'list'}, got &{{{plain(value)}}}")]
    allowed = _FITS.get(at.scalar)
    if allowed is None or (isinstance(value, allowed) and not (isinstance(value, bool) and bool not in allowed)):
        return []
    return [_fault(path, f"expected {_EXPECTED[at.scalar]}, got {_go(value)}")]


def _go(value: Any) -> str:
    return f"&value.valueUnstructured{{Value:{syntax(value)}}}"


def _fault(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text


def _map_faults(at: Shape, value: Mapping[str, Any], path: str, duplicates: bool) -> list[str]:
    out: list[str] = []
    for name, item in value.items():
        below = at.field(name)
        here = f"{path}.{name}"
        out += (
            [f"{here}: field not declared in schema"]
            if below is None
            else faults(below, item, here, duplicates=duplicates)
        )
    return out


def _list_faults(at: Shape, value: list[Any], path: str, duplicates: bool) -> list[str]:
    out: list[str] = []
    below, seen = at.item(), set[str]()
    for index, item in enumerate(value):
        if at.atomic_list:
            out += faults(below, item, f"{path}[{index}]", duplicates=duplicates)
            continue
        try:
            element = at.element(item)
        except BadItemError as error:
            out.append(_fault(path, f"element {index}: {error}"))
            continue
        name = element_text(element)
        if element in seen and not duplicates:
            out.append(_fault(path, f"duplicate entries for key {name}"))
        seen.add(element)
        out += faults(below, item, path + name, duplicates=duplicates)
    return out


def field_set(at: Shape, value: Any) -> FieldSet:
    """Return the fields an object sets, as an applier owns them: leaves, list items, keys of maps."""
    out: FieldSet = {}
    kind = form(at, value)
    if kind == "map" and value and not at.atomic_map:
        for name, item in value.items():
            below = at.field(name) or ANYTHING
            empty = item is None or item == {}
            _put_owned(out, f"f:{name}", below, item, member=empty or not at.has(name))
    elif kind == "list" and value and not at.atomic_list:
        for item in value:
            _put_owned(out, at.element(item), at.item(), item, member=True)
    return out


def _put_owned(out: FieldSet, element: str, at: Shape, value: Any, *, member: bool) -> None:
    below = {} if isinstance(value, _PLAIN) else field_set(at, value)
    if below:
        out[element] = union(out.get(element, {}), {".": {}, **below} if member else below)
    elif member or isinstance(value, _PLAIN) or _is_leaf(at, value):
        out.setdefault(element, {})


def _is_leaf(at: Shape, value: Any) -> bool:
    kind = form(at, value)
    return kind == "leaf" or (kind == "map" and at.atomic_map) or (kind == "list" and at.atomic_list)


def compare(at: Shape, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    """Return what changed between two objects of a kind."""
    change = Change()
    _compare_maps(at, old, new, change)
    return change


def _compare_maps(at: Shape, old: Mapping[str, Any], new: Mapping[str, Any], change: Change) -> None:
    for name, right in new.items():
        if name not in old and right is None:  # Go writes some empty fields as null: nothing came
            continue
        if name not in old:
            change.added[f"f:{name}"] = _whole(at.field(name) or ANYTHING, right)
            continue
        left = old[name]
        if left is not right and left != right:
            _compare_values(at.field(name) or ANYTHING, f"f:{name}", left, right, change)
    for name, left in old.items():
        if name not in new:
            change.removed[f"f:{name}"] = _whole(at.field(name) or ANYTHING, left)


def _compare_values(at: Shape, element: str, left: Any, right: Any, change: Change) -> None:
    """Note the change of a value that is there on both sides and not the same."""
    kind = form(at, right if right is not None else left)
    atomic = at.atomic_map if kind == "map" else at.atomic_list
    if kind == "leaf" or atomic or not (left or right):
        change.modified[element] = {}
        return
    below = Change()
    if kind == "map":
        _compare_maps(at, left if isinstance(left, Mapping) else {}, right or {}, below)
    else:
        _compare_lists(at, left if isinstance(left, list) else [], right or [], below)
    for target, part in (
        (change.added, below.added),
        (change.modified, below.modified),
        (change.removed, below.removed),
    ):
        if part:
            target[element] = part


def _compare_lists(at: Shape, old: list[Any], new: list[Any], change: Change) -> None:
    lefts, rights = _by_element(at, old), _by_element(at, new)
    below = at.item()
    for element, items in rights.items():
        others = lefts.get(element)
        if others is None:
            change.added[element] = _item(below, items)
        elif len(items) == len(others) == 1:
            if items[0] is not others[0] and items[0] != others[0]:
                _compare_values(below, element, others[0], items[0], change)
        elif items != others:
            change.modified[element] = {}
    for element, items in lefts.items():
        if element not in rights:
            change.removed[element] = _whole(below, items[0])


def _by_element(at: Shape, items: list[Any]) -> dict[str, list[Any]]:
    out: dict[str, list[Any]] = {}
    for item in items:
        try:
            out.setdefault(at.element(item), []).append(item)
        except BadItemError:  # an object written before its schema: such items have no owner
            continue
    return out


def _item(at: Shape, items: list[Any]) -> FieldSet:
    """Return the node of a list's item that came; one that stands there twice is a leaf."""
    return _whole(at, items[0]) if len(items) == 1 else {}


def _whole(at: Shape, value: Any) -> FieldSet:
    """Return the node of a value that came or went as a whole: everything in it is a member."""
    if not value:
        return {}
    if isinstance(value, Mapping):
        if not at.is_map or at.atomic_map:
            return {}
        out: FieldSet = {".": {}}
        for name, item in value.items():
            out[f"f:{name}"] = _whole(at.field(name) or ANYTHING, item) if isinstance(item, Mapping | list) else {}
        return out
    if not isinstance(value, list) or not at.is_list or at.atomic_list:
        return {}
    below = at.item()
    return {".": {}, **{element: _item(below, items) for element, items in _by_element(at, value).items()}}
