"""Objects as spew's `%#v` prints their Go structs: the text that a Pod template's hash is made of.

Models dump.ForHash of k8s.io/utils/dump and spew/format.go (no methods, no addresses, keys sorted), for objects that came by protobuf,
as those of a controller's informer do: there an empty list or map is nil. The table is `kit/data/gotypes.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Final

from kit.kube import goquantity, times
from kit.kube.data import load

_NIL: Final = "<nil>"
_YEAR_ONE: Final = 62135596800  # seconds from Go's first year to 1970
_SCALARS: Final[dict[str, tuple[str, Callable[[Any], str]]]] = {  # kind -> its zero, how a value is written
    "string": ("", str),
    "bool": ("false", lambda value: "true" if value else "false"),
    **dict.fromkeys(("int", "int32", "int64", "uint", "uint8", "uint64"), ("0", str)),
}


class _Form:
    """How values of one type are written: the zero value's text, and the text of any other."""

    __slots__ = ("write", "zero")

    def __init__(self, zero: str, write: Callable[[Any], str]) -> None:
        self.zero = zero
        self.write = write


def dump(type_name: str, value: Mapping[str, Any]) -> str:
    """Return the text of an object of a struct type, such as `v1.PodTemplateSpec`."""
    return f"({type_name}){_form(type_name).write(value)}"


@cache
def _form(name: str) -> _Form:
    """Return how a type is written, its own name left out."""
    if name in _SCALARS:
        return _Form(*_SCALARS[name])
    if name.startswith("*"):  # nothing is asked of the type pointed to until there is a value
        return _Form(_NIL, lambda value: _form(name[1:]).write(value))
    if name.startswith("[]"):
        return _Form(_NIL, partial(_list, _form(name[2:])))
    if name.startswith("map["):
        return _Form(_NIL, partial(_map, _form(name.partition("]")[2])))
    table = load("gotypes")
    return _struct(name, table["structs"][name]) if name in table["structs"] else _form(table["named"][name])


def _list(items: _Form, value: Any) -> str:
    return f"[{' '.join(map(partial(_element, items), value))}]" if value else _NIL


def _map(values: _Form, value: Any) -> str:
    return f"map[{' '.join(f'{key}:{_element(values, value[key])}' for key in sorted(value))}]" if value else _NIL


def _element(form: _Form, value: Any) -> str:
    return form.zero if value is None else form.write(value)


def _struct(name: str, rows: list[list[str]]) -> _Form:
    fields = [(f"{field}:({kind})", key, _form(kind)) for field, key, kind in rows]
    plain = partial(_fields, [(label, label + form.zero, key, form.write) for label, key, form in fields])
    if name not in _SPECIAL:
        return _Form(plain({}), plain)
    special = _SPECIAL[name]
    return _Form(plain(special(None)), lambda value: plain(special(value)))


def _fields(rows: list[tuple[str, str, str, Callable[[Any], str]]], value: Mapping[str, Any]) -> str:
    said = []
    for label, zero, key, write in rows:
        found = value.get(key) if key else value  # "": an embedded struct, whose fields stand among the others
        said.append(zero if found is None else label + write(found))
    return f"{{{' '.join(said)}}}"


def _time(text: Any) -> dict[str, Any]:
    """Return metav1.Time: whole seconds in the local zone, which is UTC in a controller manager's image."""
    if not text:
        return {}
    seconds, _ = times.timestamp(text)
    return {"ext": seconds + _YEAR_ONE, "loc": {"name": "UTC"}} if seconds != -_YEAR_ONE else {}


def _int_or_string(value: Any) -> dict[str, Any]:
    return {"Type": 1, "StrVal": value} if isinstance(value, str) else {"IntVal": value}


def _raw(value: Any) -> dict[str, Any]:
    return {"Raw": json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()} if value is not None else {}


# structs whose JSON is no object of their fields -> the fields of what the JSON says
_SPECIAL: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    "resource.Quantity": goquantity.fields,
    "v1.Time": _time,
    "intstr.IntOrString": _int_or_string,
    "v1.FieldsV1": _raw,
}
