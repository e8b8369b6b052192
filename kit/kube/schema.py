"""The shape of every object: field types, list and map kinds, merge keys, defaults, as OpenAPI v3 tells them.

Definitions are kept as text and parsed when first asked for; a node finds its children when first asked for them. So a
process pays for the kinds it uses. Custom resources get the same nodes by `from_openapi`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from kit.kube.data import load


class Missing:
    """The type of MISSING."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()
"""The default of a field that has none (None is a value)."""

REF: Final = "#/components/schemas/"
QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
TIME: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
MICRO_TIME: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
DURATION: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.Duration"
INT_OR_STRING: Final = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
OBJECT_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

_NO_FIELDS: Final[Mapping[str, Node]] = MappingProxyType({})


class Node:
    """One place in a schema. Attributes of the place (default, list type) win over those of the type found there."""

    __slots__ = ("_fields", "_items", "_own", "_target", "_values", "default", "int_or_string", "name", "open", "type")

    name: str
    """The definition's name, such as io.k8s.api.core.v1.Container, or "" for what is written in place."""
    type: str
    """object, array, string, integer, number, boolean, or "" for anything."""
    open: bool
    """Unknown fields are kept: raw JSON, or x-kubernetes-preserve-unknown-fields."""

    def __init__(self, own: Mapping[str, Any], name: str = "", target: Node | None = None) -> None:
        self._own = own
        self._target = target
        self._fields: Mapping[str, Node] | None = None
        self._items: Node | None = None
        self._values: Node | None = None
        self.name = target.name if target else name
        self.default: Any = own.get("default", MISSING)
        self.int_or_string = self._is_int_or_string()
        self.type = target.type if target else self._type()
        self.open = target.open if target else self._is_open()

    def _type(self) -> str:
        if self._own.get("type"):
            return str(self._own["type"])
        if "properties" in self._own or "additionalProperties" in self._own:
            return "object"
        return "string" if self.name == QUANTITY else ""

    def _is_int_or_string(self) -> bool:
        if self._target:
            return self._target.int_or_string
        return bool(self._own.get("x-kubernetes-int-or-string")) or self._own.get("format") == "int-or-string"

    def _is_open(self) -> bool:
        if PRESERVE in self._own:
            return bool(self._own[PRESERVE])
        if self.int_or_string or self.name in _CLOSED or self._type() not in {"", "object"}:
            return False
        return not (self._own.get("properties") or self._own.get("additionalProperties"))

    def _get(self, key: str, otherwise: Any) -> Any:
        if key in self._own:
            return self._own[key]
        return self._target._get(key, otherwise) if self._target else otherwise

    @property
    def format(self) -> str:
        """Return int32, int64, double, byte, date-time, int-or-string or ""."""
        return str(self._get("format", ""))

    @property
    def fields(self) -> Mapping[str, Node]:
        """Return the fields of an object by JSON name."""
        if self._fields is None and self._target:
            self._fields = self._target.fields
        elif self._fields is None:
            properties = self._own.get("properties") or {}
            self._fields = MappingProxyType({k: _node(v) for k, v in properties.items()}) if properties else _NO_FIELDS
        return self._fields

    @property
    def values(self) -> Node | None:
        """Return what the values of a map are, or None when it isn't a map."""
        if self._target:
            return self._target.values
        if self._values is None and isinstance(self._own.get("additionalProperties"), Mapping):
            self._values = _node(self._own["additionalProperties"])
        return self._values

    @property
    def items(self) -> Node | None:
        """Return what the items of a list are, or None when it isn't a list."""
        if self._target:
            return self._target.items
        if self._items is None and isinstance(self._own.get("items"), Mapping):
            self._items = _node(self._own["items"])
        return self._items

    @property
    def list_type(self) -> str:
        """Return atomic, set, map or ""."""
        return str(self._get("x-kubernetes-list-type", ""))

    @property
    def map_keys(self) -> tuple[str, ...]:
        """Return the fields that name an item of a list of type map."""
        return tuple(self._get("x-kubernetes-list-map-keys", ()))

    @property
    def map_type(self) -> str:
        """Return granular, atomic or ""."""
        return str(self._get("x-kubernetes-map-type", ""))

    @property
    def patch_strategy(self) -> tuple[str, ...]:
        """Return the strategies of strategic merge patch: merge, replace, retainKeys."""
        text = str(self._get("x-kubernetes-patch-strategy", ""))
        return tuple(text.split(",")) if text else ()

    @property
    def merge_key(self) -> str:
        """Return the field by which strategic merge patch tells items apart, or ""."""
        return str(self._get("x-kubernetes-patch-merge-key", ""))

    @property
    def required(self) -> tuple[str, ...]:
        """Return the fields an object must have."""
        return tuple(self._get("required", ()))

    @property
    def enum(self) -> tuple[Any, ...]:
        """Return the values allowed, or () when any is."""
        return tuple(self._get("enum", ()))

    @property
    def unions(self) -> tuple[Mapping[str, Any], ...]:
        """Return x-kubernetes-unions: which field says which other is set."""
        return tuple(self._get("x-kubernetes-unions", ()))

    @property
    def nullable(self) -> bool:
        """Return whether null is a value here (custom resources)."""
        return bool(self._get("nullable", False))

    @property
    def embedded(self) -> bool:
        """Return whether a whole object with apiVersion, kind and metadata lives here (custom resources)."""
        return bool(self._get("x-kubernetes-embedded-resource", False))

    def raw(self, key: str, otherwise: Any = None) -> Any:
        """Return a keyword of the schema that has no attribute of its own (`maxLength`, `pattern`, rules)."""
        return self._get(key, otherwise)

    def child(self, key: str) -> Node | None:
        """Return what a key of an object leads to: a field, else the map's value, else None."""
        fields = self.fields if self._fields is None else self._fields
        return fields.get(key) or self.values

    def __repr__(self) -> str:
        return f"Node({self.name or self.type or 'any'})"


# Objects without fields that are structs of their own in Go, not raw JSON: unknown fields in them are refused.
_CLOSED: Final = frozenset(
    {
        "io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupAllDisruptionMode",
        "io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupBasicSchedulingPolicy",
        "io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupSingleDisruptionMode",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus",
    }
)


def _node(schema: Mapping[str, Any]) -> Node:
    reference = schema.get("$ref")
    if reference is None and len(schema.get("allOf", ())) == 1:
        reference = schema["allOf"][0].get("$ref")
    if reference is None:
        return Node(schema)
    target = definition(reference.removeprefix(REF))
    own = {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}
    return Node(own, target=target) if own else target


def from_openapi(schema: Mapping[str, Any]) -> Node:
    """Return the node of a schema written in place, such as a custom resource's."""
    return _node(schema)


@cache
def definition(name: str) -> Node:
    """Return the definition of that name; KeyError when there is none."""
    return Node(parsed(name), name)


def parsed(name: str) -> dict[str, Any]:
    """Return a definition as its OpenAPI v3 schema, a new dict each time."""
    out: dict[str, Any] = json.loads(load("schema")["definitions"][name])
    return out


@cache
def of(api_version: str, kind: str) -> Node | None:
    """Return the shape of a built-in kind, lists included, or None when there is no such kind."""
    name = load("schema")["kinds"].get(f"{api_version}/{kind}")
    return definition(name) if name else None
