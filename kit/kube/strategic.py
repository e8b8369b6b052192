"""Strategic merge patch: a merge patch that knows, by the schema, which lists are merged and by which key.

Models k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (StrategicMergeMapPatch) and util/mergepatch/errors.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.errors import Status
from kit.kube.gotext import plain, type_name
from kit.kube.schema import MISSING, Node

DIRECTIVE: Final = "$patch"
RETAIN_KEYS: Final = "$retainKeys"
DELETE_PRIMITIVES: Final = "$deleteFromPrimitiveList"
ORDER: Final = "$setElementOrder"

BAD_PRIMITIVES: Final = "invalid patch format of primitive list"
BAD_RETAIN_KEYS: Final = "invalid patch format of retainKeys"
BAD_ORDER: Final = "invalid patch format of setElementOrder list"

_LIST: Final[list[Any]] = []
_MAP: Final[dict[str, Any]] = {}


def strategic_merge_patch(obj: Mapping[str, Any], patch: Mapping[str, Any], node: Node) -> dict[str, Any]:
    """Return the object with the patch merged in; raise Status 400, 422 or 500 as the API server does."""
    return _merge_map(obj, patch, node)


def _bad(text: str) -> Status:
    return Status("BadRequest", text)


def _odd(text: str) -> Status:
    """Return what the API server answers to patches it did not foresee: 500 and the text alone."""
    return Status("", text, code=500)


def _wrong_type(expected: Any, actual: Any) -> Status:
    return _odd(f"expected a {type_name(expected)}, but received a {type_name(actual)}")


def _no_merge_key(item: Any, key: str) -> Status:
    return _odd(f"map: {plain(item)} does not contain declared merge key: {key}")


def _unknown_directive(directive: Any, item: Mapping[str, Any]) -> Status:
    shown = directive if isinstance(directive, str) else f"%!s({type_name(directive)}={plain(directive)})"
    return _odd(f"unknown patch type: {shown} in map: {plain(item)}")


def _merge_map(original: Mapping[str, Any], patch: Mapping[str, Any], node: Node | None) -> dict[str, Any]:
    if DIRECTIVE in patch:
        return _directed(patch)
    out, todo = dict(original), dict(patch)
    _retain_keys(out, todo)
    for key in [k for k in todo if k.startswith(ORDER)]:
        _merge_ordered(out, todo, key, node)
    for key, value in todo.items():
        deleting = key.startswith(DELETE_PRIMITIVES)
        name = _after_slash(key, DELETE_PRIMITIVES, BAD_PRIMITIVES) if deleting else key
        if value is None:
            out.pop(name, None)
        elif type_name(out.get(name)) != type_name(value):
            _set(out, name, MISSING if deleting else _bare(value), keep=deleting)
        elif isinstance(value, Mapping):
            below = _field(node, name)
            replaced = below is not None and "replace" in below.patch_strategy
            out[name] = dict(value) if replaced else _merge_map(out[name], value, below)
        elif isinstance(value, list):
            out[name] = _merge_field_list(out[name], value, _field(node, name), deleting=deleting)
        else:
            out[name] = value
    return out


def _set(out: dict[str, Any], name: str, value: Any, *, keep: bool) -> None:
    if value is not MISSING:
        out[name] = value
    elif not keep:
        out.pop(name, None)


def _directed(patch: Mapping[str, Any]) -> dict[str, Any]:
    directive = patch[DIRECTIVE]
    if directive == "replace":
        return {k: v for k, v in patch.items() if k != DIRECTIVE}
    if directive == "delete":
        return {}
    raise _unknown_directive(directive, patch)


def _bare(value: Any) -> Any:
    """Return what a patch adds to where nothing was, MISSING for nothing: without nulls, and without what has a $patch."""
    if isinstance(value, Mapping):
        if DIRECTIVE in value:
            return MISSING
        below = {k: _bare(v) for k, v in value.items() if v is not None}
        return {k: v for k, v in below.items() if v is not MISSING}
    if isinstance(value, list):
        return [v for v in map(_bare, value) if v is not MISSING]
    return value


def _field(node: Node | None, name: str) -> Node | None:
    """Return the schema of a field; below what no schema describes everything is merged as plain JSON."""
    if node is None or not (node.fields or node.values):
        return None
    found = node.child(name)
    if found is None:
        struct = node.name.rpartition(".")[2]
        raise _odd(f'unable to find api field in struct {struct} for the json field "{name}"')
    return found


def _after_slash(key: str, prefix: str, fault: str) -> str:
    head, slash, name = key.partition("/")
    if not slash or head != prefix:
        raise _bad(fault)
    return name


def _retain_keys(out: dict[str, Any], patch: dict[str, Any]) -> None:
    if RETAIN_KEYS not in patch:
        return
    kept = patch.pop(RETAIN_KEYS)
    if not isinstance(kept, list):
        raise _bad(BAD_RETAIN_KEYS)
    for key, value in patch.items():
        if value is not None and not key.startswith((DELETE_PRIMITIVES, ORDER)) and key not in kept:
            raise _bad(BAD_RETAIN_KEYS)
    for key in [k for k in out if k not in kept]:
        del out[key]


def _merge_ordered(out: dict[str, Any], patch: dict[str, Any], key: str, node: Node | None) -> None:
    """Merge one list together with its $setElementOrder; both leave the patch."""
    order = patch.pop(key)
    if not isinstance(order, list):
        raise _wrong_type(_LIST, order)
    name = _after_slash(key, ORDER, BAD_ORDER)
    for side in (out, patch):
        if name in side and not isinstance(side[name], list):
            raise _wrong_type(_LIST, side[name])
    field = _field(node, name)
    merge_key = field.merge_key if field else ""
    live, items = out.get(name, []), patch.get(name, [])
    _check_order(items, order, merge_key)
    if name not in out and name not in patch:
        return
    if name in out and name in patch:
        merged = _merge_field_list(live, items, field, deleting=False)
    else:
        merged = live if name in out else _bare(items)
    out[name] = _arranged(merged, order, live, merge_key)
    patch.pop(name, None)


def _check_order(items: list[Any], order: list[Any], merge_key: str) -> None:
    if not items or not order:
        return
    position = 0
    for item in items:
        if merge_key and isinstance(item, Mapping) and DIRECTIVE in item:
            continue
        while position < len(order) and _key(item, merge_key) != _key(order[position], merge_key):
            position += 1
        if position == len(order):
            raise _odd(f"The order in patch list:\n{plain(items)}\n doesn't match {ORDER} list:\n{plain(order)}\n")
        position += 1


def _key(item: Any, merge_key: str) -> Any:
    """Return what tells an item apart: its merge key, or a scalar itself."""
    if not merge_key:
        return _scalar_key(item)
    if not isinstance(item, Mapping):
        raise _wrong_type(_MAP, item)
    if merge_key not in item:
        raise _no_merge_key(item, merge_key)
    return _scalar_key(item[merge_key])


def _scalar_key(value: Any) -> tuple[str, str]:
    return type_name(value), plain(value)


def _merge_field_list(live: list[Any], items: list[Any], field: Node | None, *, deleting: bool) -> list[Any]:
    if field is None or "merge" not in field.patch_strategy:
        return items
    if not live and not items:
        return live
    if _are_maps(live, items):
        return _merge_maps(live, items, field)
    if deleting:
        gone = {_scalar_key(v) for v in items}
        return [v for v in live if _scalar_key(v) not in gone]
    merged = list({_scalar_key(v): v for v in (*items, *live)}.values())
    return _arranged(merged, items, live, "")


def _are_maps(*lists: list[Any]) -> bool:
    kinds = {type_name(v) for items in lists for v in items}
    if type_name(_LIST) in kinds:
        raise Status("Invalid", "the server rejected our request due to an error in our request", details={})
    if len(kinds) > 1:
        raise _odd("list element types are not identical: " + plain(sorted(kinds)))
    return kinds == {type_name(_MAP)}


def _merge_maps(live: list[Any], items: list[Any], field: Node) -> list[Any]:
    key = field.merge_key
    if not key:
        raise _odd("cannot merge lists without merge key for type struct")
    live, items = _special(live, items, key)
    merged = list(live)
    for item in items:
        name = _key(item, key)
        at = next((i for i, v in enumerate(merged) if key in v and _scalar_key(v[key]) == name), None)
        if at is None:
            merged.append(_bare(item))
        else:
            merged[at] = _merge_map(merged[at], item, field.items)
    return _arranged(merged, items, live, key)


def _special(live: list[Any], items: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the items that are directives; return what stays of the live list, and the ordinary items."""
    ordinary = [v for v in items if DIRECTIVE not in v]
    replace = False
    for item in (v for v in items if DIRECTIVE in v):
        match item[DIRECTIVE]:
            case "delete":
                name = _key(item, key)
                live = [v for v in live if not (key in v and _scalar_key(v[key]) == name)]
            case "replace":
                replace = True
            case "merge":
                raise _odd("merging lists cannot yet be specified in the patch")
            case other:
                raise _unknown_directive(other, item)
    return ([], ordinary) if replace else (live, ordinary)


def _arranged(merged: list[Any], order: list[Any], live: list[Any], key: str) -> list[Any]:
    """Return the items: those of `order` in its order, the others where the live order allows."""
    wanted = {_key(v, key): i for i, v in reversed(list(enumerate(order)))}
    place = {_key(v, key): i for i, v in reversed(list(enumerate(live)))}
    named = [(_key(v, key), v) for v in merged]
    ours = sorted((n for n in named if n[0] in wanted), key=lambda n: wanted[n[0]])
    others = sorted((n for n in named if n[0] not in wanted), key=lambda n: place.get(n[0], len(place)))
    out: list[Any] = []
    i = 0
    for name, item in ours:
        while i < len(others) and name in place and place.get(others[i][0], len(place)) < place[name]:
            out.append(others[i][1])
            i += 1
        out.append(item)
    return out + [item for _, item in others[i:]]


def leftover(patch: Mapping[str, Any], obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return a patch as merging leaves it: where the object has nothing yet, nulls are taken out of it. Refusals print that."""
    out: dict[str, Any] = {}
    for key, value in patch.items():
        if not isinstance(value, Mapping):
            out[key] = value
        else:
            there = obj.get(key)
            out[key] = leftover(value, there) if isinstance(there, Mapping) else _without_nulls(value)
    return out


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value
