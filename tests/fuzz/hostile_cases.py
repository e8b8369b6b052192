"""Hostile and broken requests: what a client should never send, each with an id. `record_hostile.py` asked a real API server."""

from __future__ import annotations

import json
from typing import NamedTuple

NS = "/api/v1/namespaces/default"
CM = f"{NS}/configmaps"
DRY = f"{CM}?dryRun=All"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


class Case(NamedTuple):
    """One request."""

    id: str
    method: str
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


CASES: list[Case] = []


def case(id, method, path, body=b"", ct="application/json", headers=()):
    """Add a case."""
    named = ((("Content-Type", ct),) if ct else ()) + tuple(headers)
    CASES.append(Case(id, method, path, body, named))


def cm(**k):
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"y{len(CASES)}"}, **k}).encode()


def deep(n, o=b"[", c=b"]"):
    return o * n + c * n


head = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z"},'
case("truncated", "POST", DRY, head[:40])
case("empty", "POST", DRY, b"")
case("empty-put", "PUT", CM + "/x", b"")
case("null", "POST", DRY, b"null")
case("list", "POST", DRY, b"[]")
case("num", "POST", DRY, b"1e999")
case("nan", "POST", DRY, head + b'"data":{"a":NaN}}')
case("huge-int", "POST", DRY, head + b'"data":{"a":' + b"9" * 5000 + b"}}")
case(
    "huge-int-replicas",
    "POST",
    DEPLOYMENTS + "?dryRun=All",
    b'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"z"},"spec":{"replicas":' + b"9" * 5000 + b"}}",
)
case(
    "huge-float-replicas",
    "POST",
    DEPLOYMENTS + "?dryRun=All",
    b'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"z"},"spec":{"replicas":1e999}}',
)
case(
    "1e5-replicas",
    "POST",
    DEPLOYMENTS + "?dryRun=All",
    b'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"z"},"spec":{"replicas":1e2}}',
)
for n in (50, 190, 250, 5000, 9990, 10050, 100000):
    case(f"deep-arr-{n}", "POST", DRY, head + b'"data":' + deep(n) + b"}")
    case(
        f"deep-unknown-obj-{n}",
        "POST",
        DRY,
        head.replace(b'"z"', b'"du%d"' % n) + b'"zzz":' + b'{"a":' * n + b"1" + b"}" * n + b"}",
    )
case(
    "deep-ann",
    "POST",
    DRY,
    b'{"apiVersion":"v1","kind":"ConfigMap","metadata":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}",
)
case("badutf8", "POST", DRY, head.replace(b'"z"', b'"bad"') + b'"data":{"a":"\xff\xfe"}}')
case("badutf8-name", "POST", DRY, b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z\xff"}}')
case("surrogate", "POST", DRY, head.replace(b'"z"', b'"sur"') + b'"data":{"a":"\\ud800"}}')
case("nul", "POST", DRY, head.replace(b'"z"', b'"nul"') + b'"data":{"a":"\\u0000"}}')
case("dup", "POST", DRY + "&fieldValidation=Strict", head + b'"data":{"a":"1","a":"2"},"data":{"b":"1"}}')
case("trailing", "POST", DRY, head + b'"data":{}} x')
case("two-docs", "POST", DRY, head + b'"data":{}}{}')
case("bom", "POST", DRY, b"\xef\xbb\xbf" + head + b'"data":{}}')
case("utf16", "POST", DRY, (head + b'"data":{}}').decode().encode("utf-16"))
bomb = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 10)) for i in range(9)
)
case("yamlbomb", "POST", DRY, bomb, ct="application/yaml")
case("yamlself", "POST", DRY, b"a: &a [*a]\n", ct="application/yaml")
case("yamltag", "POST", DRY, b"!!python/object/apply:os.system ['id']\n", ct="application/yaml")
case("yamlbadanchor", "POST", DRY, b"a: *q\n", ct="application/yaml")
case("yamldeep", "POST", DRY, b"a: " + deep(500), ct="application/yaml")
case("yamldeep10k", "POST", DRY, b"a: " + deep(10500), ct="application/yaml")
case("yamltab", "POST", DRY, b"a:\n\t- b\n", ct="application/yaml")
case("yamlctl", "POST", DRY, b"a: \x01\n", ct="application/yaml")
case("yamlbadutf", "POST", DRY, b"a: \xff\n", ct="application/yaml")
case("yamlmerge", "POST", DRY, b"<<: 3\n", ct="application/yaml")
case("yamlnan", "POST", DRY, b"a: .nan\n", ct="application/yaml")
case("yamlcomplexkey", "POST", DRY, b"? [a]\n: b\n", ct="application/yaml")
case("yamldates", "POST", DRY, b"2001-01-01: 2001-01-01\n", ct="application/yaml")
case("yamlempty", "POST", DRY, b"", ct="application/yaml")
case("yamlbin", "POST", DRY, b"a: !!binary '@@'\n", ct="application/yaml")
case("yamlint", "POST", DRY, b"a: " + b"9" * 400 + b"\n", ct="application/yaml")
case("yamlint2", "POST", DRY, b"a: 0x" + b"f" * 4000 + b"\n", ct="application/yaml")
case("yamlfloattag", "POST", DRY, b"a: !!float abc\n", ct="application/yaml")
case("yamlinttag", "POST", DRY, b"a: !!int abc\n", ct="application/yaml")
PB = "application/vnd.kubernetes.protobuf"
for i, b in enumerate(
    [
        b"",
        b"k8s",
        b"k8s\0",
        b"k8s\0\xff",
        b"k8s\0\x0a\x05ab",
        b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"k8s\0\x08\x01",
        b"k8s\0\x0b",
        b"k8s\0\x0f",
        b"k8s\0\x00\x01",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x02\x08\x01",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x03\x0a\x05a",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x04\x0a\x02\x0a\x05",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x02\x0b\x01",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x04\x12\x02\x08\x01",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x00",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap",
        b"k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\x00",
        b"k8s\0\n\x0f\n\x02v9\x12\tConfigMap\x12\x00",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x0b\x0a\x09\x0a\x07pb-\xff\xfe\xfdx",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x09\x0a\x07\x0a\x05pbone\x1a\x08identity",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x09\x0a\x07\x0a\x05pbtwo\x22\x08mystery/",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x0b\x0b\x0c\x0a\x07\x0a\x05pbthr",
        b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x00" + b"\x0a\x00" * 3,
    ]
):
    case(f"pb{i}", "POST", DRY, b, ct=PB)
case("ct-none", "POST", DRY, cm(), ct=None)
case("ct-garbage", "POST", DRY, cm(), ct=";;;")
case("ct-text", "POST", DRY, cm(), ct="text/plain")
case("ct-params", "POST", DRY, cm(), ct='application/json; charset="utf-8')
case("ct-cbor", "POST", DRY, b"\xa0", ct="application/cbor")
case("big", "POST", DRY, head + b'"data":{"a":"' + b"x" * (3 << 20) + b'"}}')
case("big-exact", "POST", DRY, b" " * ((3 << 20) - 2) + b"{}")
case("toolarge-cm", "POST", DRY, cm(data={"a": "x" * 1100000}))
JP = "application/json-patch+json"
for i, b in enumerate(
    [
        b"",
        b"x",
        b"null",
        b"[]",
        b"{}",
        b"[null]",
        b"[1]",
        b'[{"op":"add","path":"","value":1}]',
        b'[{"op":"remove","path":""}]',
        b'[{"op":"replace","path":"","value":{}}]',
        b'[{"op":"test","path":"","value":{}}]',
        b'[{"op":"remove","path":"/"}]',
        b'[{"op":"add","path":"x","value":1}]',
        b'[{"op":"add","path":"/data/~2","value":"1"}]',
        b'[{"op":"add","path":"/data/a/b/c","value":"1"}]',
        b'[{"op":"add","path":"/data/-1","value":"1"}]',
        b'[{"op":"copy","from":"","path":"/data/q"}]',
        b'[{"op":"move","from":"/metadata","path":"/metadata/x"}]',
        b'[{"op":"move","from":"","path":"/data/x"}]',
        b'[{"op":"remove","path":"/metadata"}]',
        b'[{"op":"add","path":"/metadata/name","value":"q"}]',
        b'[{"op":"add","path":"/metadata/labels","value":[1]}]',
        b'[{"op":"replace","path":"/kind","value":5}]',
        b'[{"op":5,"path":7}]',
        b'[{"op":"add","path":"/' + b"a/" * 300 + b'","value":1}]',
        b'[{"op":"add","path":"/data/9999999999999999999999","value":"1"}]',
        b'[{"op":"add","path":"/metadata/finalizers/99","value":"1"}]',
        b'[{"op":"add","path":"/metadata/uid","value":"zz"}]',
        b'[{"op":"add","path":"/metadata/resourceVersion","value":"zz"}]',
        b'[{"op":"add","path":"/metadata/creationTimestamp","value":5}]',
        b'[{"op":"add","path":"/data/x","value":' + deep(300) + b"}]",
        b"[" + b'{"op":"test","path":"/data/a","value":"1"},' * 10001 + b"{}]",
        b'[{"op":"add","path":"/data/x"}]',
        b'[{"path":"/data/x","value":"1"}]',
        b'[{"op":"add","value":"1"}]',
        b'[{"op":"copy","path":"/data/x"}]',
        b'[{"op":"test","path":"/nope","value":null}]',
        b'[{"op":"test","path":"/nope/x","value":null}]',
    ]
):
    case(f"jp{i}", "PATCH", CM + "/x?dryRun=All", b, ct=JP)
for ct in ("merge", "strategic-merge"):
    for i, b in enumerate(
        [
            b"",
            b"x",
            b"null",
            b"[]",
            b"5",
            b'"a"',
            b'{"metadata":null}',
            b'{"metadata":5}',
            b'{"data":5}',
            b'{"kind":null}',
            b'{"apiVersion":null}',
            b'{"data":{"a":NaN}}',
            b'{"metadata":{"name":null}}',
            b'{"$patch":"replace"}',
            b'{"$patch":"delete"}',
            b'{"$patch":5}',
            b'{"data":{"$patch":"x"}}',
            b'{"$retainKeys":5}',
            b'{"$setElementOrder/x":[1]}',
            b'{"$deleteFromPrimitiveList":[1]}',
            b'{"metadata":{"$deleteFromPrimitiveList/finalizers":5}}',
            b'{"metadata":{"$setElementOrder/finalizers":{"a":1}}}',
            b'{"metadata":{"ownerReferences":[{"a":1}]}}',
            b'{"metadata":{"ownerReferences":[[]]}}',
            b'{"metadata":{"ownerReferences":[null]}}',
            b'{"data":' + b'{"a":' * 300 + b"1" + b"}" * 301,
            b'{"metadata":{"managedFields":[{}]}}',
            b'{"metadata":{"managedFields":[{"manager":"a","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"x":5}}]}}',
            b'{"metadata":{"managedFields":5}}',
            b'{"metadata":{"creationTimestamp":"yesterday"}}',
            b'{"metadata":{"generation":1e30}}',
            b'{"metadata":{"labels":{"a":null,"b":5}}}',
            b'{"data":{"a":"' + b"\xff" + b'"}}',
        ]
    ):
        case(f"{ct}{i}", "PATCH", CM + "/x?dryRun=All", b, ct=f"application/{ct}-patch+json")
for i, b in enumerate(
    [
        b"",
        b"x",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b'{"apiVersion":"v1"}',
        b'{"kind":"ConfigMap"}',
        b'{"apiVersion":"v1","kind":"ConfigMap"}',
        b'{"apiVersion":5,"kind":"ConfigMap"}',
        b'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}',
        b'{"apiVersion":"a/b/c","kind":"ConfigMap","metadata":{"name":"x"}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":5}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":5}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","managedFields":[{}]}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":5}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":5}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"bogus":5}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"b","a":"c"}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","ownerReferences":[{}]}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","ownerReferences":[5]}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","finalizers":[{}]}}',
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","finalizers":["a/b","a/b"]}}',
        bomb,
        b"a: &a [*a]",
        b"a: " + deep(500),
    ]
):
    case(f"apply{i}", "PATCH", CM + "/x?fieldManager=m&dryRun=All", b, ct="application/apply-patch+yaml")
