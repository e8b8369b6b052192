"""Decoders: whatever comes, they give a value or their own error, soon."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from bodies import JSON, WORDS, broken, like, text
from fuzzing import amount, explore
from hypothesis import strategies as st

from kit.errors import Status
from kit.kube import decoding, misfits, patches, protobuf, quantities, schema, selectors, unstructured
from kit.kube import times as times_
from kit.kube.apply import apply
from kit.runtime import spdy, websocket

CONFIG_MAP = schema.of("v1", "ConfigMap")
DEPLOYMENT = schema.of("apps/v1", "Deployment")
BASE = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}, "finalizers": ["x/y"]},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
        "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "protocol": "TCP"}], "env": [{"name": "A"}]}]}}},
}  # fmt: skip
POINTERS = st.lists(st.sampled_from(["", "spec", "metadata", "labels", "finalizers", "0", "-", "-1", "9" * 30, "~0", "~1", "~2", "a"]), max_size=6).map(
    lambda parts: "/".join(["", *parts])
)  # fmt: skip
OPERATIONS = st.lists(
    st.one_of(
        JSON,
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "", 5]),
                "path": POINTERS | JSON,
            },
            optional={"from": POINTERS | JSON, "value": JSON},
        ),
    ),
    max_size=4,
)


def gives(errors, act):
    """Return a check that an action ends well or with one of `errors`."""

    def check(value):
        with contextlib.suppress(errors):
            act(value)

    return check


@pytest.fixture(scope="module")
def samples(facts):
    return [base64.b64decode(case["protobuf"]) for case in facts("protobuf-samples.jsonl")]


@amount
def test_protobuf(samples, times):
    hurt = st.sampled_from(samples).flatmap(broken)
    explore(hurt, gives(protobuf.ProtobufError, protobuf.read), 400, times)
    explore(st.binary(max_size=60).map(lambda data: protobuf.MAGIC + data), gives(protobuf.ProtobufError, protobuf.read), 200, times)  # fmt: skip


@amount
def test_json_and_yaml_bodies(times):
    good = like("apps/v1", "Deployment").map(text)
    for read in (decoding.decode_json, decoding.decode_yaml):
        explore(good.flatmap(broken), gives(decoding.DecodeError, read), 30, times)
        explore(st.binary(max_size=80), gives(decoding.DecodeError, read), 50, times)
    marks = st.text(alphabet="a1:-[]{},&*!?|>'\"#%@` \n\t<~.", max_size=40).map(str.encode)
    explore(marks, gives(decoding.DecodeError, decoding.decode_yaml), 400, times)


@amount
def test_json_is_read_as_python_reads_it(times):
    def same(value):
        data = text({"a": value})
        assert decoding.decode_json(data)[0] == json.loads(data)

    explore(st.recursive(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none() | st.text(st.characters(codec="utf-8")), st.lists), same, 60, times)  # fmt: skip


@amount
def test_what_fits_a_schema(times):
    def read(obj):
        if isinstance(obj, dict):
            assert isinstance(misfits.type_error(obj, DEPLOYMENT), str)
            assert isinstance(unstructured.misfit(obj, DEPLOYMENT), str)
            decoding.unknown_fields(obj, DEPLOYMENT)
            decoding.prune(obj, DEPLOYMENT)

    explore(like("apps/v1", "Deployment"), read, 50, times)


@pytest.mark.parametrize("media", [patches.JSON, patches.MERGE, patches.STRATEGIC, patches.APPLY])
@amount
def test_patches(media, times):
    before = json.dumps(BASE)
    bodies = (
        OPERATIONS
        if media == patches.JSON
        else JSON | like("apps/v1", "Deployment") | st.dictionaries(WORDS, JSON, max_size=3)
    )

    def act(body):
        found = patches.decode_patch(media, body).value
        if media == patches.APPLY:
            apply(BASE, found, "fuzz", force=True, node=DEPLOYMENT, api_version="apps/v1", kind="Deployment", time_text="2026-01-01T00:00:00Z")  # fmt: skip
        else:
            patches.patched(media, BASE, found, DEPLOYMENT)
        assert json.dumps(BASE) == before

    explore(bodies.map(text), gives(Status, act), 120, times)
    explore(bodies.map(text).flatmap(broken), gives(Status, act), 60, times)


@amount
def test_selectors(times):
    texts = st.text(alphabet="ab1=!<>(),. /\\\x00-", max_size=30) | st.lists(
        st.sampled_from(["a", "in", "notin", "(", ")", ",", "=", "!=", "!", ">", "5", " "]), max_size=12
    ).map("".join)
    explore(texts, gives(Status, lambda one: selectors.parse(one).matches({"a": "b"})), 400, times)
    explore(texts, gives(Status, lambda one: selectors.parse_fields(one).matches({"a": "b"})), 200, times)


@pytest.mark.parametrize("part", ["a=b,", "a in (", "(", "!", "\\", ",", "a=\\,", "a in (b),"])
def test_selectors_of_a_hundred_kilobytes(part):
    long = part * (100_000 // len(part))
    for read in (selectors.parse, selectors.parse_fields):
        gives(Status, read)(long)


@amount
def test_quantities(times):
    texts = st.text(alphabet="0123456789.+-eEinumkKMGTP ", max_size=12) | st.integers() | st.floats()
    explore(texts, gives(quantities.QuantityError, _quantity), 400, times)
    for one in ("9" * 5000, "1e999999999", "1e-999999999", "." + "0" * 5000 + "1", "1E" + "9" * 5000):
        gives(quantities.QuantityError, _quantity)(one)


def _quantity(value):
    said = quantities.canonical(value)
    assert quantities.canonical(said) == said


@amount
def test_times(times):
    texts = st.text(alphabet="0123456789-:TZ.+hmsuµ", max_size=30)
    explore(texts, gives((times_.TimeError, ValueError), times_.parse), 200, times)
    explore(texts, gives((times_.TimeError, ValueError), times_.parse_go_duration), 200, times)


@amount
def test_frames(times):
    def feed(data):
        reader = websocket.Reader()
        for byte in data:
            reader.feed(bytes([byte]))

    explore(st.binary(max_size=60), gives(websocket.Broken, feed), 200, times)
    good = spdy.Framer().syn_stream(1, {"streamtype": "data", "port": "80"}) + spdy.Framer().data(1, b"abc", fin=True)
    explore(broken(good), gives(spdy.Broken, lambda data: spdy.Framer().feed(data)), 300, times)
