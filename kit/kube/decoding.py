"""From bytes to an object: reading JSON and YAML, finding what does not fit its schema, leaving out what is unknown.

Models sigs.k8s.io/json (case-sensitive, strict errors collected) and apimachinery's serializer/json; errors are theirs.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from kit.errors import Status
from kit.kube import jsonsyntax, nesting, schema, yamltext
from kit.kube.kinds import Resource
from kit.kube.literals import loads
from kit.kube.misfits import json_type
from kit.kube.schema import QUANTITY, Node
from kit.kube.status import bad_request

_SHOWN: Final = 30
_META_TYPE: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)


class DecodeError(ValueError):
    """The bytes are no object; the message is the API server's, without what was asked for (see `unrecognized`)."""


def decode_json(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the object of a JSON body (a `nesting.Cut` when it is deep), and what strict reading complains about; or DecodeError."""
    if not jsonsyntax.too_deep(data, nesting.MAX_DEPTH):
        return _read(data)
    if deep := jsonsyntax.too_deep(data, nesting.DEEPEST):
        raise _syntax(deep)
    whole, *inner = nesting.cut(data)
    value, complaints = _read(whole)
    for piece in inner:
        _value(piece, [])
    return nesting.Cut(value), complaints


def _read(data: bytes) -> tuple[dict[str, Any], list[str]]:
    repeats: list[bool] = []
    value = _value(data, repeats)
    return headed(value), _duplicates(data.decode("utf-8", "replace")) if repeats else []


def _value(data: bytes, repeats: list[bool]) -> Any:
    text = data.decode("utf-8", "replace")
    try:
        value = loads(text, _pairs(repeats))
    except ValueError:
        raise _syntax(jsonsyntax.explain(data) or jsonsyntax.END) from None
    return _whole(value) if "\\u" in text else value


def decode_yaml(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the object of the first YAML document, and what strict reading complains about; raise DecodeError."""
    try:
        value, complaints = yamltext.load(data)
    except yamltext.YamlError as error:
        raise DecodeError(str(error)) from None
    return headed(value), complaints


def unrecognized(kind: str, error: ValueError, data: bytes) -> Status:
    """Return the refusal of a body that should have been a `kind` and could not be read."""
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {error} ({_summary(data)})")


def cannot_handle(api_version: str, kind: str, why: str, wanted: str = "") -> Status:
    """Return the refusal of an object that could be read and does not fit; strict complaints are joined by ", "."""
    version = api_version.rpartition("/")[2]
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {wanted or kind}: {why}')


def strict(complaints: list[str]) -> str:
    """Return the reason of a refusal for what strict reading complained about."""
    return f"strict decoding error: {', '.join(complaints)}"


def _pairs(repeats: list[bool]) -> Any:
    def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) != len(pairs):
            repeats.append(True)
        return out

    return hook


def _syntax(message: str) -> DecodeError:
    return DecodeError(f"couldn't get version/kind; json parse error: {message}")


def headed(value: Any) -> dict[str, Any]:
    """Return a value as an object whose version and kind are texts, if it has any; raise DecodeError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _syntax(f"json: cannot unmarshal {json_type(value)} into Go value of type {_META_TYPE}")
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str | None):
            raise _syntax(f"json: cannot unmarshal {json_type(value[key])} into Go struct field .{key} of type string")
    api_version = value.get("apiVersion") or ""
    if api_version.count("/") > 1:
        raise DecodeError(f"unexpected GroupVersion string: {api_version}")
    return value


_LEGACY: Final = frozenset(  # versions no longer served whose kinds the API server still knows by name
    {
        "apps/v1beta1",
        "apps/v1beta2",
        "autoscaling/v2beta1",
        "autoscaling/v2beta2",
        "batch/v1beta1",
        "discovery.k8s.io/v1beta1",
        "events.k8s.io/v1beta1",
        "extensions/v1beta1",
        "networking.k8s.io/v1beta1",
        "policy/v1beta1",
    }
)


_ALSO: Final = {("policy/v1", "Eviction"): "policy/v1beta1"}  # what a subresource takes in another version too


def check_type(obj: dict[str, Any], resource: Resource) -> Status | None:
    """Return the refusal of an object of another kind or version than the URL's; what is left out is taken from there."""
    api_version, kind = obj.get("apiVersion") or resource.api_version, obj.get("kind") or resource.kind
    if kind == resource.kind and api_version in {resource.api_version, _ALSO.get((resource.api_version, kind))}:
        return None
    if schema.of(api_version, kind) is None and not (api_version in _LEGACY and kind == resource.kind):
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
        return cannot_handle(api_version, kind, why, resource.kind)
    if kind == resource.kind:
        expected = f"the expected API version ({resource.api_version})"
        return bad_request(f"the API version in the data ({api_version}) does not match {expected}")
    version = api_version.rpartition("/")[2]
    internal = f"{resource.group.partition('.')[0] or 'core'}.{resource.kind}"
    why = f"converting ({version}.{kind}) to ({internal}): unknown conversion"
    return cannot_handle(api_version, kind, why, resource.kind)


def _summary(data: bytes) -> str:
    if not data:
        return "<empty>"
    head = data[:_SHOWN].decode("utf-8", "replace") if data.startswith(b"{") else data[:_SHOWN].hex()
    return f"{head} ..." if len(data) > _SHOWN else head


def _whole(value: Any) -> Any:
    """Return the value with halves of surrogate pairs replaced, as Go does: they can't be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object as written."""


def _duplicates(text: str) -> list[str]:
    """Return the complaints about repeated members, in the order met."""
    out: list[str] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, _Members):
            seen: set[str] = set()
            for key, item in value:
                at = f"{path}.{key}" if path else key
                if key in seen:
                    out.append(f'duplicate field "{at}"')
                seen.add(key)
                walk(item, at)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, f"{path}[{index}]")

    walk(loads(text, _Members), "")
    return out


# --- what does not fit the schema -----------------------------------------------------------------------------------


def unknown_fields(obj: Any, node: Node) -> list[str]:
    """Return `unknown field "spec.bogus"` for every member the schema does not know, in the order written."""
    out: list[str] = []
    _find_unknown(obj, node, "", out)
    return out


def _find_unknown(value: Any, node: Node, path: str, out: list[str]) -> None:
    if isinstance(value, list) and node.items:
        for index, item in enumerate(value):
            _find_unknown(item, node.items, f"{path}[{index}]", out)
    elif isinstance(value, dict) and not (node.open and not node.fields):
        for key, item in value.items():
            at = f"{path}.{key}" if path else key
            child = node.child(key)
            if child is not None:
                _find_unknown(item, child, at, out)
            elif not (node.open or (node.embedded and key in {"apiVersion", "kind", "metadata"})):
                out.append(f'unknown field "{at}"')


def prune(obj: Any, node: Node) -> Any:
    """Return a copy without unknown members and nulls, as a Go struct would hold it; nulls in maps become zeros."""
    if isinstance(obj, list):
        if node.format == "byte":  # Go reads bytes from a list of numbers too
            return base64.b64encode(bytes(item or 0 for item in obj)).decode()
        inner = node.items
        return [_element(item, inner) for item in obj] if inner else obj
    if not isinstance(obj, dict) or (node.open and not node.fields):
        return obj
    if node.values and not node.fields:
        return {key: _element(value, node.values) for key, value in obj.items()}
    out = {}
    for key, value in obj.items():
        child = node.child(key)
        if child is None:
            if node.open or (node.embedded and key in {"apiVersion", "kind", "metadata"}):
                out[key] = value
        elif value is not None or child.nullable:
            out[key] = prune(value, child)
    return out


_ZEROS: Final = {"string": "", "integer": 0, "number": 0, "boolean": False}


def _element(value: Any, node: Node) -> Any:
    if value is not None or node.nullable or node.open:
        return prune(value, node) if value is not None else None
    if node.name == QUANTITY:
        return "0"
    return {} if node.fields else _ZEROS.get(node.type)
