"""Strategies: JSON that is nearly an object of a kind, patches, queries, paths; and bytes made of good ones."""

from __future__ import annotations

import json
from functools import cache

from hypothesis import strategies as st

from kit.kube import kinds, schema

WORDS = st.sampled_from(
    ["", "a", "x", "default", "web", "..", "a/b", "-", "$patch", "replace", "delete", "%00", "0", "-1", "1Gi", "1e9", "99999999999999999999",
     "2026-01-01T00:00:00Z", "10.0.0.1", "nginx:1.30", "\x00", "\ud800", "ü" * 70, "a" * 300, "Always", "TCP", "*", "{{}}", "<nil>"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, 1, -1, 3, 80, 65_536, 2**31, -(2**31), 2**53 + 1, 2**63, -(2**63), 10**30, 1.5, 1e300, -0.0]
)
SCALARS = st.one_of(WORDS, NUMBERS, st.booleans(), st.none(), st.text(max_size=8))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=12,
)
FIXED = {"apiVersion", "kind"}
RESOURCES = sorted({(r.api_version, r.kind) for r in kinds.builtin().all()})


@cache
def like(version, kind):
    """Return a strategy of objects of a kind in which about every tenth value is something else."""
    node = schema.of(version, kind)
    body = _place(node, 4) if node is not None else JSON
    fixed = {"apiVersion": version, "kind": kind}
    return st.tuples(body, st.sampled_from(["x", "fuzz", "web"])).map(lambda pair: _named(fixed, *pair))


def _named(fixed, body, name):
    if not isinstance(body, dict):
        return body
    meta = body.get("metadata")
    if isinstance(meta, dict):
        body = {**body, "metadata": {**meta, "name": name}}
    return {**body, **fixed}


def _place(node, depth):
    return st.integers(0, 9).flatmap(lambda odd: JSON if odd == 0 else _fitting(node, depth))


def _fitting(node, depth):
    if node.int_or_string:
        return st.one_of(WORDS, NUMBERS)
    if node.items:
        return st.lists(_place(node.items, depth - 1), max_size=2) if depth > 0 else st.just([])
    if node.fields:
        return _fields(node, depth) if depth > 0 else st.just({})
    if node.values:
        return st.dictionaries(WORDS, _place(node.values, depth - 1), max_size=2)
    plain = {"string": WORDS, "integer": st.integers(-1, 70_000) | NUMBERS, "number": NUMBERS, "boolean": st.booleans()}
    return plain.get(node.type, JSON)


def _fields(node, depth):
    names = [name for name in node.fields if name not in FIXED and name != "status"]
    some = st.lists(st.sampled_from(names), max_size=4, unique=True) if names else st.just([])
    must = [name for name in ("metadata", "spec", "template", "containers", "selector") if name in node.fields]
    return some.flatmap(
        lambda found: st.fixed_dictionaries(
            {name: st.deferred(lambda name=name: _place(node.fields[name], depth - 1)) for name in {*found, *must}}
        )
    )


def text(value):
    """Return a value as JSON bytes, with lone surrogates as they can be sent."""
    return json.dumps(value).encode()


@st.composite
def broken(draw, data):
    """Return bytes cut, doubled, flipped or filled."""
    at = draw(st.integers(0, max(0, len(data) - 1)))
    to = draw(st.integers(at, len(data)))
    how = draw(st.sampled_from(["cut", "drop", "flip", "fill", "double"]))
    if how == "cut":
        return data[:at]
    if how == "drop":
        return data[:at] + data[to:]
    if how == "double":
        return data[:to] + data[at:]
    filling = draw(st.binary(max_size=4)) if how == "fill" else bytes([draw(st.integers(0, 255))])
    return data[:at] + filling + data[at + (how == "flip") :]
