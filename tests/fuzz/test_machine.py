"""The whole API in this process: whatever is asked of any kind, each request gets one proper answer, and the cluster lives on."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from bodies import JSON, RESOURCES, WORDS, broken, like, text
from fuzzing import Machine, amount, check_answer, explore
from hypothesis import strategies as st

from kit.kube import kinds

MEDIA = st.sampled_from(
    ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/json-patch+json",
     "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml", "", "text/x", ";"]
)  # fmt: skip
ACCEPT = st.sampled_from(
    ["", "application/json", "application/yaml", "*/*", "text/html", "application/json;as=Table;v=v1;g=meta.k8s.io",
     "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"]
)  # fmt: skip
OPTIONS = ["dryRun", "fieldManager", "fieldValidation", "force", "limit", "continue", "labelSelector", "fieldSelector", "resourceVersion",
           "resourceVersionMatch", "watch", "timeoutSeconds", "allowWatchBookmarks", "sendInitialEvents", "gracePeriodSeconds", "propagationPolicy",
           "orphanDependents", "pretty", "container", "tailLines", "sinceTime", "command", "stdout", "follow", "ports"]  # fmt: skip
QUERY = st.dictionaries(
    st.sampled_from(OPTIONS), st.sampled_from(["", "true", "All", "fuzz", "1", "-1", "x=y", "a in (b", "%", "Strict", "e30"]) | WORDS, max_size=3
).map(lambda found: "&".join(f"{name}={quote(value, errors='replace')}" for name, value in found.items()))  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])
NAMES = st.sampled_from(["", "/x", "/web", "/default", "/kube-root-ca.crt"]) | WORDS.map(
    lambda word: "/" + quote(word, safe="", errors="replace")
)
PLURALS = {(one.api_version, one.kind): one for one in kinds.builtin().all()}
SYSTEM = ("GET", "/readyz")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    made = Machine(tmp_path_factory.mktemp("ca"))
    yield made
    made.settle(120_000)  # what was made by the way must not break the controllers either
    assert made.ask(*SYSTEM)[0] == 200
    broken_steps = [step for step in made.cluster.trace.since(0) if step.verb == "panic"]
    assert broken_steps == []


@st.composite
def requests(draw):
    """Return a request about an object of any kind, or one near it."""
    version, kind = draw(st.sampled_from(RESOURCES))
    one = PLURALS[version, kind]
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    place = (
        draw(st.sampled_from(["/namespaces/default", "/namespaces/default", "", "/namespaces/nope"]))
        if one.namespaced
        else ""
    )
    below = draw(st.sampled_from(["", "", "", *("/" + sub.name for sub in one.subresources), "/nope"]))
    path = f"{base}{place}/{one.plural}{draw(NAMES)}{below}"
    query = draw(QUERY)
    body = draw(st.one_of(like(version, kind).map(text), JSON.map(text), like(version, kind).map(text).flatmap(broken), st.binary(max_size=40)))  # fmt: skip
    return (
        draw(METHODS),
        f"{path}?{query}" if query else path,
        body,
        {"Content-Type": draw(MEDIA), "Accept": draw(ACCEPT)},
    )


@amount
def test_any_request_gets_one_proper_answer(machine, times):
    def check(request):
        method, path, body, headers = request
        code, answer, _ = machine.ask(method, path, body if method != "GET" else b"", headers)
        check_answer(code, answer, (method, path, body[:500], headers))

    explore(requests(), check, 150, times)
    assert machine.ask(*SYSTEM)[0] == 200


@pytest.mark.parametrize("kind", [("v1", "Pod"), ("apps/v1", "Deployment"), ("v1", "Service"), ("networking.k8s.io/v1", "Ingress"), ("batch/v1", "Job"), ("apps/v1", "StatefulSet")], ids=lambda pair: pair[1])  # fmt: skip
@amount
def test_what_is_taken_in_does_not_break_the_cluster(machine, kind, times):
    """Objects that pass the API run through scheduler, controllers and kubelets."""
    one = PLURALS[kind]
    base = f"/apis/{kind[0]}" if "/" in kind[0] else f"/api/{kind[0]}"
    path = f"{base}/namespaces/default/{one.plural}"

    def check(obj):
        code, answer, _ = machine.ask("POST", path, text(obj), {"Content-Type": "application/json"})
        check_answer(code, answer, obj)
        if code == 201:
            machine.settle(5_000)
            name = json.loads(answer)["metadata"]["name"]
            check_answer(*machine.ask("DELETE", f"{path}/{name}?gracePeriodSeconds=0")[:2])
            machine.settle(1_000)

    explore(like(*kind), check, 12, times)


def test_every_path_of_openapi_answers_every_method(machine):
    """Read from our own OpenAPI: no operation is a crash, with no body, a broken one and one of another kind."""
    root = json.loads(machine.ask("GET", "/openapi/v3")[1])["paths"]
    assert len(root) > 20
    asked = 0
    for entry in root.values():
        document = json.loads(machine.ask("GET", entry["serverRelativeURL"])[1])
        for path, operations in document["paths"].items():
            asked += _ask_all(
                machine, path.replace("{namespace}", "nope").replace("{name}", "x").replace("{path}", "p"), operations
            )
    assert asked > 300


def _ask_all(machine, path, operations):
    asked = 0
    for method in ("get", "post", "put", "patch", "delete"):
        if method not in operations:
            continue
        media = next(iter((operations[method].get("requestBody") or {}).get("content", {"": 0})))
        for body in (b"", b'{"kind":"Pod","apiVersion":"v1"}')[: 1 if method == "get" else 2]:
            code, answer, _ = machine.ask(method.upper(), path, body, {"Content-Type": "" if media == "*/*" else media})
            check_answer(code, answer, (method, path, body))
            asked += 1
    return asked
