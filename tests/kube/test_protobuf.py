"""Protobuf bodies: the recorded samples, and hostile bytes."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Status
from kit.kube.protobuf import MAGIC, decode


def _field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _body(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = _field(1, api_version.encode()) + _field(2, kind.encode())
    return MAGIC + _field(1, meta) + _field(2, raw)


def test_recorded_samples(facts):
    for case in facts("protobuf-samples.jsonl"):
        assert decode(base64.b64decode(case["protobuf"])) == case["json"], case["id"]


def test_every_cut_of_a_sample_is_an_object_or_a_bad_request(facts):
    sample = next(case for case in facts("protobuf-samples.jsonl") if case["id"] == "hand/deployment-minimal")
    data = base64.b64decode(sample["protobuf"])
    for end in range(len(data)):
        assert _reason(data[:end]) in {"", "BadRequest"}


def _reason(data):
    try:
        decode(data)
    except Status as status:
        return status.reason
    return ""


@given(st.binary(max_size=200))
def test_noise(data):
    for body in (data, MAGIC + data, _body("v1", "Pod", data)):
        assert _reason(body) in {"", "BadRequest"}


NESTED = b""
for _ in range(300):  # JSONSchemaProps.not, field 28, in itself
    NESTED = _field(28, NESTED)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{}", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
        (
            _body("v1", "Nothing", b""),
            'no kind "Nothing" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
        ),
        (_body("v1", "Pod", b"\x0a\x05ab"), "unexpected EOF"),
        (_body("v1", "Pod", b"\x0a" + b"\xff" * 9 + b"\x01"), "proto: negative length found during unmarshaling"),
        (_body("v1", "Pod", b"\x0a" + b"\xff" * 11), "proto: integer overflow"),
        (_body("v1", "Pod", _field(1, 5)), "proto: wrong wireType = 0 for field ObjectMeta"),
        (_body("v1", "Pod", b"\x0b"), "proto: wrong wireType = 3 for field ObjectMeta"),
        (_body("v1", "Pod", b"\x3f"), "proto: illegal wireType 7"),
        (_body("v1", "Pod", b"\x3c"), "proto: Pod: wiretype end group for non-group"),
        (_body("v1", "Pod", b"\x00\x00"), "proto: Pod: illegal tag 0 (wire type 0)"),
    ],
)
def test_malformed(data, message):
    with pytest.raises(Status) as caught:
        decode(data)
    assert caught.value.message == message


def test_nesting_is_bounded():
    version = _field(1, b"v1") + _field(4, _field(1, NESTED))
    body = _body("apiextensions.k8s.io/v1", "CustomResourceDefinition", _field(2, _field(7, version)))
    with pytest.raises(Status, match="exceeded max depth of 100"):
        decode(body)
