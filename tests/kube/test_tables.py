"""Tables against recorded truth: every kind, Pods in every state."""

from __future__ import annotations

import copy
import itertools
import json
import re

import pytest

from kit.kube import jsonpath, tables, times
from kit.kube.defaults import apply_defaults
from kit.kube.kinds import Resource, Subresource, builtin
from kit.kube.printers import ROWS
from kit.kube.strategy import prepare_create, prepare_status, prepare_update

NOW_MS = times.parse("2026-01-31T09:00:00Z")
MADE = "2026-01-31T08:58:59Z"
USER = {"username": "kubernetes-admin", "uid": "admin", "groups": ["system:masters"]}


class World:
    """Just enough of a server to bring objects into the state of a case."""

    def __init__(self):
        self.registry = builtin()
        self.stored = {}
        self.printers = {}

    def play(self, index, step):
        if "create" in step:
            self._create(index, step["create"])
        elif step["method"] == "DELETE":
            resource, key = self._find(step["path"])
            old = self.stored[key]
            self.stored[key] = {**old, "metadata": {**old["metadata"], "deletionTimestamp": MADE}}
            if resource.kind == "Namespace":
                self.stored[key]["status"] = {"phase": "Terminating"}
        else:
            self._write(step)

    def _create(self, index, obj):
        resource = self.registry.by_kind(obj["apiVersion"], obj["kind"])
        meta = {**obj["metadata"], "uid": f"<uid:{index}>"}
        if resource.namespaced:
            meta.setdefault("namespace", "default")
        out = prepare_create(apply_defaults({**obj, "metadata": meta}), resource, now=MADE, user=USER)
        meta = {**out["metadata"], "uid": f"<uid:{index}>", "creationTimestamp": MADE, "resourceVersion": "7"}
        out = {**out, "metadata": meta}
        if resource.kind == "Service":
            out = _allocated(out)
        self.stored[resource.collection(meta.get("namespace", "")), meta["name"]] = out
        if resource.kind == "CustomResourceDefinition":
            self._define(out)

    def _define(self, crd):
        spec = crd["spec"]
        self.stored[next(reversed(self.stored))] = {
            **crd,
            "status": {**crd["status"], "conditions": [{"type": "Established", "status": "True"}]},
        }
        for version in spec["versions"]:
            names = spec["names"]
            custom = Resource(
                spec["group"], version["name"], names["kind"], names["plural"], names["singular"], True,
                subresources=(Subresource("status", "", "", "", ()),) if version.get("subresources") else (),
            )  # fmt: skip
            self.registry.add(custom)
            self.printers[custom.group_resource] = version.get("additionalPrinterColumns") or []

    def _write(self, step):
        path, _, part = step["path"].rpartition("/")
        is_part = part in {"status", "approval", "finalize"}
        resource, key = self._find(path if is_part else step["path"])
        old = self.stored[key]
        body = step["body"]
        new = apply_defaults(body if step["method"] == "PUT" else _merged(old, body))
        prepare = prepare_status if is_part else prepare_update
        self.stored[key] = prepare(new, old, resource, now=MADE)

    def _find(self, path):
        parts = path.strip("/").split("/")
        group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        resource = self.registry.by_path(group, version, rest[0])
        return resource, (resource.collection(namespace), rest[1] if len(rest) > 1 else None)

    def table(self, request):
        resource, (collection, name) = self._find(request["path"])
        query = request.get("query") or {}
        key, _, value = query.get("labelSelector", "").partition("=")
        found = [
            obj
            for (where, called), obj in self.stored.items()
            if _within(where, collection) and name in {None, called} and _labels(obj).get(key, "") == value
        ]
        return tables.table(
            found,
            resource.group_resource,
            now_ms=NOW_MS,
            include=query.get("includeObject", "Metadata"),
            list_meta={"resourceVersion": "9"} if name is None else None,
            printer_columns=self.printers.get(resource.group_resource),
        )


def _within(where, collection):
    prefix, _, plural = collection.rpartition("/")
    return where == collection or (
        "/namespaces/" not in collection and where.startswith(f"{prefix}/namespaces/") and where.endswith(f"/{plural}")
    )


def _labels(obj):
    return {"": "", **obj["metadata"].get("labels", {})}


def _allocated(service):
    spec = dict(service["spec"])
    if spec["type"] == "ExternalName":
        return service
    address = spec.setdefault("clusterIP", "<clusterIP>")
    spec["clusterIPs"] = [address]
    if spec["type"] != "ClusterIP":
        spec["ports"] = [{"nodePort": "<nodePort>", **port} for port in spec["ports"]]
    return {**service, "spec": spec}


def _merged(old, patch):
    if not isinstance(patch, dict):
        return patch
    out = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = _merged(out.get(key), value)
    return out


def _normal(body):
    """Bring an answer into the form of the recording."""
    body = copy.deepcopy(body)
    titles = [column["name"] for column in body["columnDefinitions"]]
    dates = [column["type"] == "date" for column in body["columnDefinitions"]]
    for column in body["columnDefinitions"]:
        column.pop("description", None)
    for row in body["rows"]:
        for at, title in enumerate(titles):
            row["cells"][at] = _cell(title, dates[at], row["cells"][at])
        for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "deletionTimestamp", "labels"):
            ((row["object"] or {}).get("metadata") or {}).pop(key, None)
        # Admission and the deletion write these into metadata.
        for key in ("finalizers", "deletionGracePeriodSeconds", "generation", "annotations", "namespace"):
            ((row["object"] or {}).get("metadata") or {}).pop(key, None)
    body["metadata"] = dict.fromkeys(body["metadata"], "<rv>")
    return json.loads(json.dumps(body))


def _aged(value, recorded):
    """Take an age for the recorded one: a duration, never `<unknown>` or a time."""
    is_age = recorded == "<age>" and isinstance(value, str) and re.fullmatch(r"(\d+[smhdy])+", value)
    return "<age>" if is_age else value


def _cell(title, date, value):
    if title == "Restarts":
        return re.sub(r"\(\S+ ago\)", "(<age> ago)", value)
    if not isinstance(value, str) or value in {"<none>", "<unknown>", ""}:
        return value
    if (date and value.endswith("Z")) or value == "<time>":
        return "<time>"
    return re.sub(r"<uid:\d>", "<uid>", value)


def test_every_recorded_table_comes_out_as_recorded(facts):
    cases, wrong = facts("tables.jsonl"), {}
    for case in cases:
        world = World()
        for index, step in enumerate(case["setup"]):
            world.play(index, step)
        got, want = (_normal(body) for body in (world.table(case["request"]), case["expect"]["body"]))
        for mine, recorded in zip(got["rows"], want["rows"], strict=False):
            mine["cells"] = [_aged(*pair) for pair in zip(mine["cells"], recorded["cells"], strict=False)]
        if got != want:
            wrong[case["id"]] = (got["rows"], want["rows"])
    print(f"tables: {len(cases) - len(wrong)}/{len(cases)}")
    for id, (got, want) in itertools.islice(wrong.items(), 12):
        print(id, "\n  got ", json.dumps(got)[:600], "\n  want", json.dumps(want)[:600])
    assert list(wrong) == []


def test_every_kind_with_columns_has_as_many_cells():
    for resource in builtin():
        name = resource.group_resource
        found = tables.columns(name)
        if "list" in resource.verbs:
            assert name in ROWS, name
            assert len(ROWS[name]({"metadata": {"name": "x"}}, NOW_MS)) == len(found), name


def test_a_list_marks_the_default_storage_class_and_a_get_does_not():
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    obj = {"metadata": {"name": "sc", "annotations": annotations}, "provisioner": "x"}
    name = "storageclasses.storage.k8s.io"
    assert tables.table([obj], name, now_ms=0)["rows"][0]["cells"][0] == "sc"
    assert tables.table([obj], name, now_ms=0, list_meta={})["rows"][0]["cells"][0] == "sc (default)"


def test_ages_come_from_the_time_given():
    pod = {"metadata": {"name": "p", "creationTimestamp": MADE}, "spec": {}, "status": {"phase": "Running"}}
    assert tables.table([pod], "pods", now_ms=NOW_MS)["rows"][0]["cells"][4] == "61s"
    pod["metadata"].pop("creationTimestamp")
    assert tables.row(pod, "pods", now_ms=NOW_MS)["cells"][4] == "<unknown>"


def test_descriptions_are_those_of_a_real_server():
    first = tables.columns("pods")[0]
    assert first["description"].startswith("Name must be unique within a namespace.")
    custom = tables.columns("widgets.example.com", [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}])
    assert custom[1]["description"] == "Custom resource definition column (in JSONPath format): .spec.size"


def _pod(state, restarts=0, last=None, **more):
    container = {"name": "c", "restartCount": restarts, "state": state, "lastState": last or {}, "ready": False, **more}
    return {
        "metadata": {},
        "spec": {"containers": [{}]},
        "status": {"phase": "Running", "containerStatuses": [container]},
    }


def test_pod_status_is_what_kubectl_prints():
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-31T08:59:48Z"}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    assert tables.pod_status(_pod(waiting, 3, ended), NOW_MS) == ("CrashLoopBackOff", "0/1", "3 (12s ago)")
    assert tables.pod_status(_pod({"terminated": {"exitCode": 2}}), NOW_MS).status == "ExitCode:2"
    assert tables.pod_status(_pod({"running": {}}, ready=True), NOW_MS) == ("Running", "1/1", "0")


OBJ = {
    "spec": {"size": 3, "a.b": "x", "list": [1, 2, 3], "map": {"k": "v"}},
    "status": {"conditions": [{"type": "Ready", "status": "True", "n": 2}, {"type": "Other", "status": "False"}]},
}


@pytest.mark.parametrize(
    ("path", "want"),
    [
        (".spec.size", [3]),
        ("{.spec.size}", [3]),
        (".spec.none.deeper", []),
        (r".spec.a\.b", ["x"]),
        ("['spec']['a.b']", ["x"]),
        (".spec.list[1]", [2]),
        (".spec.list[-1]", [3]),
        (".spec.list[7]", []),
        (".spec.list[*]", [1, 2, 3]),
        (".spec.list[0:2]", [1, 2]),
        (".spec.map.*", ["v"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type == 'Nope')].status", []),
        (".status.conditions[?(@.n > 1)].type", ["Ready"]),
        (".status.conditions[?(@.n)].type", ["Ready"]),
    ],
)
def test_jsonpath(path, want):
    assert jsonpath.find(path, OBJ) == want


def test_jsonpath_refuses_what_it_cannot():
    with pytest.raises(jsonpath.JSONPathError, match="unsupported JSONPath"):
        jsonpath.find("..size", OBJ)


def test_custom_columns_of_strings_show_everything_found():
    columns = [
        {"name": "L", "type": "string", "jsonPath": ".spec.list[*]"},
        {"name": "M", "type": "string", "jsonPath": ".spec.map"},
    ]
    cells = tables.row({"metadata": {"name": "w"}, **OBJ}, "widgets.example.com", now_ms=0, printer_columns=columns)[
        "cells"
    ]
    assert cells == ["w", "1 2 3", '{"k":"v"}']
