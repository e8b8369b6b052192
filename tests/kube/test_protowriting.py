"""Objects as protobuf: what is written is what real servers write, and reads as what it was."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.kube import protobuf, protowriting
from kit.kube.data import load

FILES = ("defaulting.jsonl", "immutability.jsonl", "patches.jsonl", "tables.jsonl", "validation.jsonl")
TIMES = (("<time>", "2026-01-02T03:04:05Z"), ("<microtime>", "2026-01-02T03:04:05.123456Z"))


def test_recorded_samples_are_written_byte_by_byte(facts):
    for case in facts("protobuf-samples.jsonl"):
        assert protowriting.encode(case["json"]) == base64.b64decode(case["protobuf"]), case["id"]


def objects(value):
    """Yield the objects somewhere in a value that protobuf has a form for: no Tables, which are never sent in it, and no lists."""
    if isinstance(value, dict):
        version, kind = value.get("apiVersion"), value.get("kind")
        whole = isinstance(version, str) and isinstance(kind, str) and isinstance(value.get("metadata"), dict)
        if whole and kind != "Table" and "items" not in value and protowriting.writable(version, kind):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from objects(one)


def named(value):
    """Leave out of the templates in a StatefulSet what they are: protobuf has no place for it there."""
    for template in (
        (value.get("spec") or {}).get("volumeClaimTemplates") or () if value["kind"] == "StatefulSet" else ()
    ):
        template.pop("kind", None)
        template.pop("apiVersion", None)
    return value


@pytest.mark.parametrize("name", FILES)
def test_recorded_objects_come_back(facts, name):
    text = json.dumps([case["expect"] for case in facts(name)])
    for word, time in TIMES:
        text = text.replace(json.dumps(word), json.dumps(time))
    found = [named(obj) for obj in objects(json.loads(text))]
    wrong = [obj for obj in found if protobuf.read(protowriting.encode(obj)) != obj]
    assert found
    assert not wrong, f"{len(wrong)} of {len(found)}: {wrong[:2]}"


def test_lists_hold_metadata_and_items():
    """What writes lists around what is written already relies on it."""
    table = load("protobuf")
    for kind, name in table["kinds"].items():
        fields = table["messages"][name][1]
        if kind.endswith("List") and any(field[1] == "items" for field in fields):
            first, second = sorted(fields)
            assert (first[0], first[2], second[0], second[3].strip("o")) == (1, protowriting.LIST_META, 2, "r"), kind


def test_every_kind_is_written_empty():
    for known in load("protobuf")["kinds"]:
        version, _, kind = known.rpartition("/")
        obj = protobuf.read(protowriting.encode({"apiVersion": version, "kind": kind}))
        assert protobuf.read(protowriting.encode(obj)) == obj, known


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.binary()), st.integers(-(2**63), 2**63 - 1))
def test_any_data_comes_back(texts, blobs, number):
    data = {key: base64.b64encode(value).decode() for key, value in blobs.items()}
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x"}}
    if number:
        obj["metadata"]["generation"] = number
    obj |= {"data": texts} if texts else {}
    obj |= {"binaryData": data} if data else {}
    assert protobuf.read(protowriting.encode(obj)) == obj


def test_a_kind_without_a_form_is_refused():
    with pytest.raises(KeyError):
        protowriting.encode({"apiVersion": "example.com/v1", "kind": "Widget"})
