"""Policies and webhooks of admission, as a real API server answered (`record_policies.py` asks it again)."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from kit.kube.admission.typechecking import warnings
from kit.kube.kinds import builtin

RECORDER = runpy.run_path(str(Path(__file__).parent / "record_policies.py"))
PLACES, answer = RECORDER["PLACES"], RECORDER["answer"]
RECORDED = json.loads((Path(__file__).parent / "recorded" / "policies.json").read_text())
CHANGING = re.compile(r"(?<=g-)[a-z0-9]{5}|10\.96\.\d+\.\d+")


# The real one says nothing of webhooks that it could not ask and may do without; here nobody reads its log.
LOUDER = {"hook-no-service-ignore", "hook-url-ignore"}


def told(case: dict[str, Any], reply: Any) -> dict[str, Any]:
    warnings = [] if case["id"] in LOUDER else reply.warnings
    found: dict[str, Any] = answer(reply.code, warnings, reply.body, case.get("show", []))
    return found


def settled(value: Any) -> Any:
    """Return an answer without what changes from run to run."""
    return json.loads(CHANGING.sub("*", json.dumps(value)))


def play(world: Any, case: dict[str, Any]) -> list[dict[str, Any]]:
    for obj in case["objects"]:
        world.call("POST", PLACES[obj["kind"]], obj)
    media = {"content-type": "application/strategic-merge-patch+json"}
    out = []
    for method, path, *body in case["requests"]:
        headers = media if method == "PATCH" else {}
        path, _, query = path.partition("?")
        asked = tuple(parse_qsl(query)) or ((("dryRun", "All"),) if method != "GET" else ())
        out.append(told(case, world.call(method, path, *body, headers=headers, query=asked)))
    return out


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
def test_answers_are_those_of_the_real_one(case: dict[str, Any], world_of: Callable[[], Any]) -> None:
    assert settled(play(world_of(), case)) == settled(case["answers"])


MAPS = "/api/v1/namespaces/default/configmaps"
HOOKS = PLACES["ValidatingWebhookConfiguration"]


def hook(**more: Any) -> dict[str, Any]:
    """Return a webhook of a Service for new ConfigMaps."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    one = {
        "name": "a.example.com",
        "clientConfig": {"service": {"name": "hook", "namespace": "default"}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": [rule],
        **more,
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return {**head, "metadata": {"name": "h"}, "webhooks": [one]}


def test_a_service_without_endpoints_refuses_the_connection(world: Any) -> None:
    ports = {"selector": {"a": "b"}, "ports": [{"port": 443}]}
    made = world.call("POST", PLACES["Service"], {"metadata": {"name": "hook"}, "spec": ports})
    assert world.call("POST", HOOKS, hook()).code == 201
    refused = world.call("POST", MAPS, {"metadata": {"name": "c"}})
    address = made.body["spec"]["clusterIP"]
    assert refused.code == 500
    assert refused.body["message"].endswith(f"dial tcp {address}:443: connect: connection refused")
    assert world.call("GET", f"{MAPS}/c").code == 404


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"clusterIP": "None", "ports": [{"port": 443}]}, 'cannot route to service with ClusterIP "None"'),
        ({"ports": [{"port": 80}]}, 'no service port 443 found for service "hook"'),
        (None, 'service "hook" not found'),
    ],
)
def test_a_service_that_leads_nowhere(world: Any, spec: dict[str, Any] | None, why: str) -> None:
    if spec:
        assert world.call("POST", PLACES["Service"], {"metadata": {"name": "hook"}, "spec": spec}).code == 201
    world.call("POST", HOOKS, hook())
    said = world.call("POST", MAPS, {"metadata": {"name": "c"}}).body["message"]
    assert said.endswith(f'Post "https://hook.default.svc:443/?timeout=10s": {why}')


def test_a_webhook_outside_that_may_be_passed_over_warns(world: Any) -> None:
    world.call("POST", HOOKS, hook(failurePolicy="Ignore", clientConfig={"url": "https://hooks.example.com/x"}))
    made = world.call("POST", MAPS, {"metadata": {"name": "c"}})
    assert made.code == 201
    assert len(made.warnings) == 1
    assert "calls no webhooks outside itself" in made.warnings[0]
    assert "failurePolicy is Ignore" in made.warnings[0]


def test_the_way_back_is_open_when_a_webhook_stops_everything(world: Any) -> None:
    every = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}
    world.call("POST", HOOKS, hook(rules=[every]))
    assert world.call("POST", MAPS, {"metadata": {"name": "c"}}).code == 500
    assert world.call("DELETE", f"{HOOKS}/h").code == 200
    assert world.call("POST", MAPS, {"metadata": {"name": "c"}}).code == 201


def test_what_is_stored_is_what_a_policy_made_of_it(world: Any) -> None:
    case = next(one for one in RECORDED if one["id"] == "mutate-apply")
    for obj in case["objects"]:
        assert world.call("POST", PLACES[obj["kind"]], obj).code == 201
    world.call("POST", MAPS, {"metadata": {"name": "c"}, "data": {"k": "v"}})
    kept = world.call("GET", f"{MAPS}/c")
    assert kept.response.body.startswith(b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c"')
    assert kept.body["data"] == {"extra": "v", "k": "v"}
    owned = kept.body["metadata"]["managedFields"][0]["fieldsV1"]
    assert "f:extra" not in owned["f:data"]


def test_a_mutation_that_makes_no_object_of_the_kind_is_refused(world: Any) -> None:
    case = next(one for one in RECORDED if one["id"] == "mutate-json-error-0")
    _, policy, binding = json.loads(json.dumps(case["objects"]))
    policy["spec"]["mutations"][0]["jsonPatch"]["expression"] = "[JSONPatch{op: 'replace', path: '/data', value: 'x'}]"
    for obj in (policy, binding):
        assert world.call("POST", PLACES[obj["kind"]], obj).code == 201
    refused = world.call("POST", MAPS, {"metadata": {"name": "c"}})
    assert refused.code == 403
    assert "denied request: " in refused.body["message"]


def test_a_policy_that_mutates_sees_the_namespace_it_is_about(world: Any) -> None:
    case = next(one for one in RECORDED if one["id"] == "mutate-apply")
    policy, binding = json.loads(json.dumps(case["objects"]))
    policy["spec"]["mutations"][0]["applyConfiguration"]["expression"] = (
        "Object{metadata: Object.metadata{labels: {'x': 'y'}}}"
    )
    match = policy["spec"]["matchConstraints"]
    match["resourceRules"][0]["resources"] = ["namespaces"]
    match["namespaceSelector"] = {"matchLabels": {"a": "b"}}
    for obj in (policy, binding):
        assert world.call("POST", PLACES[obj["kind"]], obj).code == 201
    plain = world.call("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    assert "x" not in (plain.body["metadata"].get("labels") or {})
    marked = world.call("POST", "/api/v1/namespaces", {"metadata": {"name": "m", "labels": {"a": "b"}}})
    assert marked.body["metadata"]["labels"]["x"] == "y"


def test_expressions_that_run_away_are_stopped(world: Any) -> None:
    case = next(one for one in RECORDED if one["id"] == "deny-expression")
    policy, binding = json.loads(json.dumps(case["objects"]))
    many = "[1,2,3,4,5,6,7,8,9,10].all(a, "
    text = many.replace("a,", "a,") + "".join(many.replace("(a", f"({name}") for name in "bcde") + "a > 0" + ")" * 5
    policy["spec"]["validations"] = [{"expression": text}]
    assert world.call("POST", PLACES[policy["kind"]], policy).code == 201
    world.call("POST", PLACES[binding["kind"]], binding)
    refused = world.call("POST", MAPS, {"metadata": {"name": "c"}})
    assert refused.code == 422
    assert "actual cost limit exceeded" in refused.body["message"]


def test_no_policy_means_no_engine() -> None:
    code = (
        "import sys; from kit.embedded.api import server; from kit.kube.admission import rules;"
        "sys.exit(any(name.startswith('kit.kube.cel.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


TYPED = json.loads((Path(__file__).parent / "recorded" / "typechecking.json").read_text())


@pytest.mark.parametrize(("name", "spec", "status"), TYPED, ids=[name for name, *_ in TYPED])
def test_types_are_checked_as_by_the_real_controller(name: str, spec: Any, status: Any) -> None:
    found = warnings(spec, builtin())
    assert found == (status["typeChecking"].get("expressionWarnings") or [])


def test_what_is_deleted_together_has_no_name(world: Any) -> None:
    told = "(has(request.name) ? request.name : 'no') + ' ' + oldObject.metadata.name"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["configmaps"]}
    validation = {"expression": "false", "messageExpression": told}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [validation]}
    world.call("POST", PLACES["ValidatingAdmissionPolicy"], {"metadata": {"name": "v"}, "spec": spec})
    binding = {"metadata": {"name": "v"}, "spec": {"policyName": "v", "validationActions": ["Deny"]}}
    world.call("POST", PLACES["ValidatingAdmissionPolicyBinding"], binding)
    world.call("POST", MAPS, {"metadata": {"name": "c"}})
    lead = "ValidatingAdmissionPolicy 'v' with binding 'v' denied request: "
    for path, name, words in ((f"{MAPS}/c", "c", "c c"), (MAPS, "Unknown", "no c")):
        said = world.call("DELETE", path).body["message"]
        assert said == f'configmaps "{name}" is forbidden: {lead}{words}'
