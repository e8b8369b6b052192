"""Server-side apply's merge of two objects, and the removal of fields from one.

Models sigs.k8s.io/structured-merge-diff/typed (merge.go, remove.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.kube.fields import FieldSet
from kit.kube.shapes import ANYTHING, BadItemError, Shape
from kit.kube.typed import form


def merge(at: Shape, live: Any, config: Any) -> Any:
    """Return live with everything config says laid over it."""
    kind = form(at, config if config is not None else live)
    if kind == "map" and not at.atomic_map and (live or config):
        return _merge_maps(at, live if isinstance(live, Mapping) else {}, config or {})
    if kind == "list" and not at.atomic_list and (live or config):
        return _merge_lists(at, live if isinstance(live, list) else [], config or [])
    return config


def _merge_maps(at: Shape, live: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(live)
    for name, value in config.items():
        out[name] = merge(at.field(name) or ANYTHING, live[name], value) if name in live else value
    return out


def _merge_lists(at: Shape, live: list[Any], config: list[Any]) -> list[Any]:
    """Merge items by name: what both have stands in config's order, what only live has keeps its place among them."""
    lefts = [(_name(at, item, index), item) for index, item in enumerate(live)]
    rights = [(at.element(item), item) for item in config]
    left_of: dict[str, Any] = {}
    for name, item in lefts:
        left_of[name] = None if name in left_of else item  # double items are replaced, not merged
    right_of = dict(rights)
    shared = iter([name for name, _ in rights if name in left_of])
    next_shared = next(shared, None)
    out, done = list[Any](), set[str]()
    li = ri = 0

    def take_right() -> None:
        nonlocal ri, next_shared
        name, item = rights[ri]
        done.add(name)
        out.append(merge(at.item(), left_of[name], item) if left_of.get(name) is not None else item)
        ri += 1
        if name == next_shared:
            next_shared = next(shared, None)

    while li < len(lefts) or ri < len(rights):
        if li < len(lefts):
            name, item = lefts[li]
            if ri < len(rights):
                if name == rights[ri][0]:
                    li += 1
                    take_right()
                    continue
                if name in right_of and next_shared is not None and next_shared != name:
                    li += 1  # a shared item whose turn has not come
                    continue
            if name not in right_of:
                out.append(item)
                li += 1
                continue
            if name in done:
                li += 1
        if ri < len(rights):
            take_right()
    return out


def _name(at: Shape, item: Any, index: int) -> str:
    try:
        return at.element(item)
    except BadItemError:
        return f"i:{index}"


def remove(at: Shape, value: Any, gone: FieldSet) -> Any:
    """Return the value without the paths of a set; None where nothing is left of it."""
    kind = form(at, value)
    if kind == "leaf" or not gone:
        return value
    if not value or (at.atomic_map if kind == "map" else at.atomic_list):
        return None
    out = _remove_keys(at, value, gone) if kind == "map" else _remove_items(at, value, gone)
    return out or None


def _remove_keys(at: Shape, value: Mapping[str, Any], gone: FieldSet) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, item in value.items():
        node = gone.get(f"f:{name}")
        if node is None:
            out[name] = item
        elif node and "." not in node:
            rest = remove(at.field(name) or ANYTHING, item, node)
            if rest is not None:
                out[name] = rest
    return out


def _remove_items(at: Shape, value: list[Any], gone: FieldSet) -> list[Any]:
    out = []
    for index, item in enumerate(value):
        node = gone.get(_name(at, item, index))
        if node is None:
            out.append(item)
        elif node and "." not in node:
            out.append(remove(at.item(), item, node))
    return out
