"""Reading bodies: recorded refusals word by word, and hostile text."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Status
from kit.kube import decoding, jsonsyntax, misfits, schema
from kit.kube.decoding import DecodeError, decode_json, decode_yaml
from kit.kube.kinds import builtin


def _resource(path):
    parts = [part for part in path.split("/") if part]
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    return builtin().by_path(group, version, rest[0]) if len(rest) == 1 else None


def _read(case, resource):
    """Return (refusal, complaints) of a recorded create."""
    request = case["request"]
    text = request["text"] if request.get("text") is not None else json.dumps(request.get("body", {}))
    kind = (request.get("headers") or {}).get("Content-Type", "application/json")
    data = text.encode()
    try:
        obj, complaints = (decode_yaml if "yaml" in kind else decode_json)(data)
    except DecodeError as error:
        return decoding.unrecognized(resource.kind, error, data), []
    if refusal := decoding.check_type(obj, resource):
        return refusal, []
    node = schema.of(resource.api_version, resource.kind)
    if wrong := misfits.type_error(obj, node):
        return decoding.cannot_handle(resource.api_version, resource.kind, wrong), []
    complaints += decoding.unknown_fields(obj, node)
    if complaints and (request.get("query") or {}).get("fieldValidation") == "Strict":
        return decoding.cannot_handle(resource.api_version, resource.kind, decoding.strict(complaints)), []
    return None, complaints


REFUSALS = ("cannot be handled", "unrecognized", "does not match the expected API version")


def _creates(facts):
    for case in facts("validation.jsonl"):
        body = case["expect"]["body"]
        plain = "<repeat" not in json.dumps(case["request"])
        if case["request"]["method"] == "POST" and plain and isinstance(body, dict) and case["expect"]["code"] != 403:
            resource = _resource(case["request"]["path"])
            if resource:
                yield case, resource, body


def test_recorded_bodies(facts):
    refused = 0
    for case, resource, body in _creates(facts):
        refusal, complaints = _read(case, resource)
        message = body.get("message") or ""
        wanted = case["expect"]["code"] == 400 and any(text in message for text in REFUSALS)
        assert (refusal.body() if refusal else None) == (body if wanted else None), case["id"]
        refused += wanted
        warnings = [text.replace('\\"', '"') for text in case["expect"].get("headers", {}).get("Warning", [])]
        if (case["request"].get("query") or {}).get("fieldValidation") == "Warn":
            assert complaints == warnings, case["id"]
    assert refused == 66


def test_recorded_objects_survive_pruning(facts):
    """What the server answers is what it holds: nothing in it is unknown, of a wrong type or lost."""
    for case in facts("defaulting.jsonl"):
        obj = case["expect"]["body"]
        node = schema.of(obj["apiVersion"], obj["kind"]) if isinstance(obj, dict) and "apiVersion" in obj else None
        if node and obj["kind"] != "Status":
            plain = json.loads(json.dumps(obj).replace('"<time>"', '"2026-01-01T00:00:00Z"'))
            assert decoding.unknown_fields(plain, node) == [], case["id"]
            pruned = decoding.prune(plain, node)
            assert json.dumps(_without_nulls(pruned)) == json.dumps(_without_nulls(plain)), case["id"]


def _without_nulls(value):
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def test_pruning():
    node = schema.of("v1", "Pod")
    container = {"name": "c", "image": None, "bogus": 1, "resources": {"limits": {"cpu": None}}}
    pod = {"spec": {"containers": [container], "nodeName": None}, "metadata": {"labels": {"a": None}}, "x": 1}
    assert decoding.prune(pod, node) == {
        "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "0"}}}]},
        "metadata": {"labels": {"a": ""}},
    }
    assert pod["x"] == 1
    revision = {"data": {"any": None, "spec": {"deep": [None]}}}
    assert decoding.prune(revision, schema.of("apps/v1", "ControllerRevision")) == revision


def test_open_places_know_everything():
    node = schema.from_openapi(
        {
            "type": "object",
            "properties": {
                "open": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": True,
                    "properties": {"known": {"type": "object", "properties": {"a": {"type": "string"}}}},
                },
                "pod": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}},
            },
        }
    )
    obj = {"open": {"new": {"x": 1}, "known": {"a": "1", "b": 2}}, "pod": {"kind": "Pod"}, "no": 1}
    assert decoding.unknown_fields(obj, node) == ['unknown field "open.known.b"', 'unknown field "no"']
    assert decoding.prune(obj, node) == {"open": {"new": {"x": 1}, "known": {"a": "1"}}, "pod": {"kind": "Pod"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unexpected end of JSON input"),
        ("[1,", "unexpected end of JSON input"),
        ("{'a'", "invalid character '\\'' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a":NaN}', "invalid character 'N' looking for beginning of value"),
        ('{"a":-Infinity}', "invalid character 'I' in numeric literal"),
        ('{"a":tru}', "invalid character '}' in literal true (expecting 'e')"),
        ('{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
        ('{"a":1e}', "invalid character '}' in exponent of numeric literal"),
        ('{"a":"\n"}', "invalid character '\\n' in string literal"),
        ('{"a":"\\u12x4"}', "invalid character 'x' in \\u hexadecimal character escape"),
        ('{"a":1},', "invalid character ',' after top-level value"),
        ('{"a":01}', "invalid character '1' after object key:value pair"),
        ("[" * 100_000, "invalid character '[' exceeded max depth"),
        ('{"a":' * 10_001 + "1" + "}" * 10_001, "invalid character '{' exceeded max depth"),
        ('{"a":' * 700 + "x" + "}" * 700, "invalid character 'x' looking for beginning of value"),
    ],
)
def test_bad_json(text, message):
    with pytest.raises(DecodeError) as caught:
        decode_json(text.encode())
    assert str(caught.value) == f"couldn't get version/kind; json parse error: {message}"


def test_json_values():
    assert decode_json(b"null") == ({}, [])
    assert decode_json(b'{"a":{"b":1,"b":2},"l":[{"c":1,"c":2}]}') == (
        {"a": {"b": 2}, "l": [{"c": 2}]},
        ['duplicate field "a.b"', 'duplicate field "l[0].c"'],
    )
    assert decode_json(rb'{"a":"\ud83d\ude00 \ud800"}')[0] == {"a": "\U0001f600 \ufffd"}
    assert decode_json(b'{"a":"\xff"}')[0] == {"a": "\ufffd"}
    assert isinstance(decode_json(b'{"a":1.0}')[0]["a"], float)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("", None),
        ("017", 15),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("08", 8),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("1.2.3", "1.2.3"),
        ("'5'", "5"),
        ('"yes"', "yes"),
        ("!!str 5", "5"),
        ("1.30", 1.3),
        ("5.", 5),
        ("-0x1F", -31),
        ("y", True),
        ("!!binary aGVsbG8=", "hello"),
        ("! 5", "5"),
        ("!foo bar", "bar"),
    ],
)
def test_yaml_scalars(text, value):
    found = decode_yaml(f"a: {text}\n".encode())[0]["a"]
    assert found == value
    assert type(found) is type(value)


def test_merges_count_where_they_stand():
    text = b"base: &b {x: 1, z: 2}\nearly: {<<: *b, z: 5}\nlate: {z: 5, <<: *b}\n"
    found = decode_yaml(text)[0]
    assert [found["early"]["z"], found["late"]["z"]] == [5, 2]


def test_yaml_structure():
    text = b"base: &b {x: 1, z: 2}\nc:\n  <<: *b\n  z: 3\n5: five\ntrue: t\nl: [*b]\n"
    found = {"base": {"x": 1, "z": 2}, "c": {"z": 3, "x": 1}, "5": "five", "true": "t", "l": [{"x": 1, "z": 2}]}
    assert decode_yaml(text) == (found, ['yaml: unmarshal errors:\n  line 4: key "z" already set in map'])
    assert decode_yaml(b"") == ({}, [])
    assert decode_yaml(b'{"a": [1, "x"]}') == ({"a": [1, "x"]}, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: .nan", "json: unsupported value: NaN"),
        ("a: -.inf", "json: unsupported value: -Inf"),
        ("a: *b", "yaml: unknown anchor 'b' referenced"),
        ("a: &a [*a]", "yaml: anchor 'a' value contains itself"),
        ("{? [1] : 2}", "yaml: invalid map key: []interface {}{1}"),
        ("{null: 1}", "unsupported map key of type: %!s(<nil>), key: <nil>, value: 1"),
        ("a: !!binary x$", "yaml: !!binary value contains invalid base64 data"),
        ('a: "x\n', "yaml: line 2: found unexpected end of stream"),
        ("a: {a: 1", "yaml: line 1: did not find expected ',' or '}'"),
        ("a: @x", "yaml: found character that cannot start any token"),
        ("<<: 5", "yaml: map merge requires map or sequence of maps as the value"),
        ("[" * 10_300, "yaml: exceeded max depth of 10000"),
        ("a: \x01", "yaml: control characters are not allowed"),
    ],
)
def test_bad_yaml(text, message):
    with pytest.raises(DecodeError) as caught:
        decode_yaml(text.encode())
    assert str(caught.value) == message


def test_billion_laughs():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(DecodeError, match="excessive aliasing"):
        decode_yaml("\n".join(lines).encode())


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), lambda inner: st.lists(inner)
       | st.dictionaries(st.text(), inner), max_leaves=20))  # fmt: skip
def test_json_reads_what_python_writes(value):
    assert decode_json(json.dumps({"v": value}).encode())[0] == {"v": decoding._whole(value)}
    assert jsonsyntax.explain(json.dumps(value).encode()) == ""


@given(st.binary(max_size=60))
def test_noise_is_an_object_or_refused(data):
    for read in (decode_json, decode_yaml):
        with contextlib.suppress(DecodeError):
            assert isinstance(read(data)[0], dict)


def test_types_go_would_refuse():
    node = schema.of("apps/v1", "Deployment")
    told = "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    assert misfits.type_error({"spec": {"replicas": "2"}}, node) == told
    assert misfits.type_error({"spec": {"replicas": None}}, node) == ""
    assert "parsing time" in misfits.type_error({"metadata": {"creationTimestamp": "now"}}, node)
    assert isinstance(decoding.cannot_handle("apps/v1", "Deployment", told), Status)
