"""Plays recorded patch cases in process: create, patch, update, then compares code and body.

It stands in for an API server as far as patches need one: no admission, no validation, no allocation. A case whose answer
comes from those is unplayable here and counted so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from kit.errors import Status
from kit.kube.apply import apply, track_update
from kit.kube.defaults import apply_defaults
from kit.kube.fields import FieldSet
from kit.kube.patches import APPLY, MERGE, STRATEGIC, decode_patch, patched
from kit.kube.schema import from_openapi, of

TIME = "2026-01-01T00:00:00Z"
# What an API server adds that is no part of a patch: allocated, computed, or set by admission.
ELSEWHERE = re.compile(r"clusterIP|ipFamil|kube-api-access|nodePort|serviceAccount|priority|preemptionPolicy")
PROTECTED = {"PersistentVolumeClaim": "kubernetes.io/pvc-protection", "PersistentVolume": "kubernetes.io/pv-protection"}
TOLERATIONS = [
    {"key": f"node.kubernetes.io/{taint}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for taint in ("not-ready", "unreachable")
]
# Cases whose answer also holds what admission, allocation or a strategy computes.
OTHERS = {
    "patch-smp-node-unschedulable": "a taint by admission",
    "patch-managed-create-node": "a taint by admission",
    "patch-managed-create-daemonset": "an annotation by the strategy",
    "patch-managed-create-job": "labels by the strategy",
    "patch-managed-create-crd": "names by the strategy",
}
VALIDATED = {"Invalid", "Forbidden"}
FORMATS = (JSON_PATCH := "application/json-patch+json", MERGE, STRATEGIC, APPLY)


@dataclass(frozen=True)
class Result:
    id: str
    outcome: str  # same, different, unplayable
    detail: str = ""


class Unplayable(Exception):
    pass


class World:
    def __init__(self):
        self.objects = {}
        self.crds = {}

    def send(self, method, path, query=None, headers=None, body=None, text=None):
        agent = (headers or {}).get("User-Agent", "facts/v1")
        query = {"fieldManager": agent.partition("/")[0] if method != "PATCH" else "", **(query or {})}
        parts = path.strip("/").split("/")
        version = parts[1] if parts[0] == "api" else f"{parts[1]}/{parts[2]}"
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else ""
        rest = rest[2:] if namespace else rest
        place = (version, namespace, rest[0])
        subresource = rest[2] if len(rest) > 2 else ""
        raw = text if text is not None else json.dumps(body)
        if method == "POST":
            return 201, self.create(place, body, query)
        if method == "PUT":
            return 200, self.update(place, rest[1], json.loads(raw), query, subresource)
        if method == "PATCH":
            media = (headers or {}).get("Content-Type") or ""
            return self.patch(place, rest[1], media, raw, query, subresource)
        raise Unplayable(method)

    def tracked(self, old, new, query, subresource=""):
        node, custom = self.node(new)
        manager = query.get("fieldManager") or "facts"
        return track_update(
            old,
            new,
            manager,
            subresource=subresource,
            node=node,
            api_version=new["apiVersion"],
            time_text=TIME,
            custom=custom,
        )

    def node(self, obj):
        kind = obj["apiVersion"], obj["kind"]
        return (self.crds[kind], True) if kind in self.crds else (of(*kind), False)

    def create(self, place, obj, query):
        obj = self.stored(obj, place[1])
        out = admitted(self.tracked(None, obj, query))
        if obj["kind"] == "CustomResourceDefinition":
            self.define(obj)
        self.objects[(*place, obj["metadata"]["name"])] = out
        return out

    def define(self, crd):
        for version in crd["spec"]["versions"]:
            schema = json.loads(json.dumps(version["schema"]["openAPIV3Schema"]))
            metadata = {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
            schema["properties"] |= {"metadata": metadata, "kind": {"type": "string"}, "apiVersion": {"type": "string"}}
            kind = f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]
            self.crds[kind] = from_openapi(schema)

    def stored(self, obj, namespace):
        node, custom = self.node(obj)
        obj = apply_defaults(obj if custom else decoded(obj, node))
        if obj["kind"] == "Pod":
            limited = any(c.get("resources") for c in obj["spec"]["containers"])
            obj = {
                **obj,
                "status": {
                    "phase": "Pending",
                    "qosClass": "Burstable" if limited else "BestEffort",
                    **obj.get("status", {}),
                },
            }
        metadata = dict(obj["metadata"])
        metadata.setdefault("uid", "<uid>")
        metadata.setdefault("resourceVersion", "1")
        metadata.setdefault("creationTimestamp", TIME)
        if namespace:
            metadata.setdefault("namespace", namespace)
        return {**obj, "metadata": metadata}

    def update(self, place, name, obj, query, subresource=""):
        old = self.objects[(*place, name)]
        named = {"name": name, **(obj.get("metadata") or {})}
        obj = {"apiVersion": old["apiVersion"], "kind": old["kind"], **obj, "metadata": named}
        new = self.stored(self.reset(old, obj, subresource), place[1])
        kept = {k: old["metadata"][k] for k in ("uid", "resourceVersion", "creationTimestamp")}
        out = admitted(self.tracked(old, {**new, "metadata": {**new["metadata"], **kept}}, query, subresource))
        self.objects[(*place, name)] = out
        return out

    def reset(self, old, new, subresource):
        if subresource == "status":
            return {**new, "spec": old.get("spec", {})}
        if subresource:
            raise Unplayable(subresource)
        if "status" in old or "status" in new:
            new = {k: v for k, v in new.items() if k != "status"}
            return {**new, **({"status": old["status"]} if "status" in old else {})}
        return new

    def patch(self, place, name, media, raw, query, subresource):
        if media not in FORMATS:
            raise Status("UnsupportedMediaType", "415: Unsupported Media Type", details={})
        live = self.objects.get((*place, name))
        if media == APPLY:
            if not query.get("fieldManager"):
                raise Unplayable("options are validated elsewhere")
            return (200 if live else 201), self.apply(
                place, name, live, decode_patch(media, raw).value, query, subresource
            )
        node, custom = self.node(live)
        new = patched(media, live, decode_patch(media, raw).value, None if custom else node)
        return 200, self.update(place, name, new, query, subresource)

    def apply(self, place, name, live, patch, query, subresource):
        kinds = {"configmaps": "ConfigMap"}
        kind = (live or {}).get("kind") or kinds.get(place[2]) or patch["kind"]
        node = self.crds.get((place[0], kind))
        out = apply(
            live,
            patch,
            query["fieldManager"],
            force=query.get("force") == "true",
            node=node or of(place[0], kind),
            subresource=subresource,
            api_version=place[0],
            time_text=TIME,
            kind=kind,
            default=lambda o: self.stored(o, place[1]),
            custom=node is not None,
        )
        if (patch.get("metadata") or {}).get("name") != name:
            raise Unplayable("names are checked elsewhere")
        self.objects[(*place, name)] = out = admitted(out)
        return out


def decoded(value, node):
    """Return what decoding into a Go type leaves: no unknown fields, the empty string for a null in a map of strings."""
    if isinstance(value, dict) and node.fields:
        return {k: decoded(v, node.fields[k]) for k, v in value.items() if k in node.fields}
    if isinstance(value, dict) and node.values:
        return {
            k: "" if v is None and node.values.type == "string" else decoded(v, node.values) for k, v in value.items()
        }
    if isinstance(value, list) and node.items:
        return [decoded(v, node.items) for v in value]
    return value


def admitted(obj):
    """Return what mutating admission makes of a new object: it runs after tracking, nobody owns what it adds."""
    if obj["kind"] in PROTECTED:
        return {**obj, "metadata": {"finalizers": [PROTECTED[obj["kind"]]], **obj["metadata"]}}
    if obj["kind"] != "Pod":
        return obj
    has = obj["spec"].get("tolerations", [])
    added = [t for t in TOLERATIONS if t["key"] not in [h["key"] for h in has]]
    return {**obj, "spec": {**obj["spec"], "tolerations": [*has, *added]}}


def play(cases) -> list[Result]:
    return [_play(case) for case in cases]


def _play(case) -> Result:
    world = World()
    expected = case["expect"]
    if expected["body"].get("reason") in VALIDATED and expected["body"]["message"] != (
        "the server rejected our request due to an error in our request"
    ):
        return Result(case["id"], "unplayable", "validated elsewhere")
    if case["id"] in OTHERS:
        return Result(case["id"], "unplayable", OTHERS[case["id"]])
    if case["request"]["path"].endswith("/scale") or any(s.get("path", "").endswith("/scale") for s in case["setup"]):
        return Result(case["id"], "unplayable", "scale is the API's")
    if expected["body"].get("message", "").startswith(("Operation cannot", "the name of the object")):
        return Result(case["id"], "unplayable", "checked elsewhere")
    try:
        for step in case["setup"]:
            _step(world, step)
        request = {k: case["request"].get(k) for k in ("method", "path", "query", "headers", "body", "text")}
        code, body = world.send(**request)
    except Status as refused:
        code, body = refused.code, refused.body()
    except Unplayable as reason:
        return Result(case["id"], "unplayable", str(reason))
    detail = "; ".join(_differences(normal(body, case), normal(expected["body"], case)))
    if code != expected["code"]:
        detail = f"code {code} not {expected['code']}: {body.get('message', '')}; {detail}"
    return Result(case["id"], "different" if detail else "same", detail[:600])


PLURALS = {
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "CustomResourceDefinition": "customresourcedefinitions",
}
PLURALS |= {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}


def _step(world, step):
    if "create" not in step:
        return world.send(**{k: step.get(k) for k in ("method", "path", "query", "headers", "body", "text")})
    obj = step["create"]
    kind = obj["kind"]
    plural = PLURALS.get(kind, kind.lower() + "s")
    namespace = "" if kind in {"Node", "Namespace", "CustomResourceDefinition", "PersistentVolume"} else "default"
    return world.create((obj["apiVersion"], namespace, plural), obj, {"fieldManager": "setup"})


def normal(body, case):
    """Bring a body into a comparable form, without what stands outside patches."""
    if body.get("kind") == "Status":
        causes = (body.get("details") or {}).get("causes")
        message = body.get("message", "")
        if causes and case.get("unordered"):
            body = {**body, "details": {"causes": sorted(causes, key=json.dumps)}, "message": sorted(message.split())}
        return json.loads(json.dumps(body))
    body = json.loads(json.dumps(body))
    metadata = body["metadata"]
    for name in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        metadata.pop(name, None)
    for entry in metadata.get("managedFields", []):
        if "time" in entry:
            entry["time"] = "<time>"
    metadata["managedFields"] = sorted(metadata.get("managedFields", []), key=json.dumps)
    if not {"status"} & set(case["request"]["path"].split("/")):
        body.pop("status", None)
    return _pruned(body)


def _pruned(value, path=""):
    """Leave out what admission and allocators add; a managed field of theirs goes with it."""
    if isinstance(value, dict):
        out = {k: _pruned(v, f"{path}.{k}") for k, v in value.items() if not ELSEWHERE.search(k)}
        return {
            k: v
            for k, v in out.items()
            if not (v in ([], None) and k in {"volumes", "volumeMounts", "finalizers", "f:finalizers"})
        }
    if isinstance(value, list):
        return [
            _pruned(v, path)
            for v in value
            if not ELSEWHERE.search(json.dumps(v.get("name", "") if isinstance(v, dict) else v))
        ]
    return value


def _differences(got, wanted, path=""):
    if isinstance(got, dict) and isinstance(wanted, dict):
        for key in sorted({*got, *wanted}):
            if key not in got:
                yield f"{path}.{key} missing (is {json.dumps(wanted[key])[:120]})"
            elif key not in wanted:
                yield f"{path}.{key} too much (is {json.dumps(got[key])[:120]})"
            else:
                yield from _differences(got[key], wanted[key], f"{path}.{key}")
    elif isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        for index, (one, other) in enumerate(zip(got, wanted, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif got != wanted:
        yield f"{path}: {json.dumps(got)[:160]} not {json.dumps(wanted)[:160]}"


def report(kind, results):
    count = {o: sum(r.outcome == o for r in results) for o in ("same", "different", "unplayable")}
    print(f"\n{kind}: {count['same']}/{count['same'] + count['different']} matched, {count['unplayable']} unplayable")
    for result in results:
        if result.outcome == "different":
            print("   ", result.id, result.detail)


__all__ = ["FieldSet", "Result", "play", "report"]
