"""The API server as Pods reach it: by the Service `kubernetes`, with the token they find in their files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shapes import SLEEP, pod

pytestmark = pytest.mark.both

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
NOTE = "wget: note: TLS certificate validation not implemented\n"


@pytest.fixture
def box(world: Any) -> Any:
    world.objects.create(pod("box", command=SLEEP))
    world.ready("box")
    return world


def ask(world: Any, path: str, *, token: bool = True) -> Any:
    """Ask for a path out of the Pod."""
    header = f'--header "Authorization: Bearer $(cat {TOKEN})" ' if token else ""
    return world.run("box", "sh", "-c", f"wget -q -O - -T 10 {header}'https://kubernetes.default{path}'")


def test_without_a_token_nobody_is_let_in(box: Any) -> None:
    ran = ask(box, "/", token=False)
    assert (ran.code, ran.stdout, ran.stderr) == (1, "", f"{NOTE}wget: server returned error: HTTP/1.1 403 Forbidden\n")


def test_the_token_says_who_asks(box: Any) -> None:
    namespace = box.objects.namespace
    pods = f"/api/v1/namespaces/{namespace}/pods"
    assert json.loads(ask(box, "/api").stdout)["kind"] == "APIVersions"
    assert "HTTP/1.1 403 Forbidden" in ask(box, pods).stderr
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "view"}}
    box.objects.create({**binding, "roleRef": role, "subjects": [subject]})
    box.until(lambda: ask(box, pods).code == 0)
    assert [one["metadata"]["name"] for one in json.loads(ask(box, pods).stdout)["items"]] == ["box"]
    first = ask(box, f"{pods}?watch=1&timeoutSeconds=1").stdout.splitlines()[0]
    assert json.loads(first)["object"]["metadata"]["name"] == "box"


def test_http_on_the_port_of_https(box: Any) -> None:
    ran = box.run("box", "wget", "-q", "-O", "-", "http://kubernetes.default:443/")
    assert ran.stderr == "wget: server returned error: HTTP/1.0 400 Bad Request\n"
