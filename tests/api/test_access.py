"""Who is who, who may what, and what the streams check."""

from __future__ import annotations

from typing import Any

import pytest

from kit.embedded.core.turns import Identity

PODS = "/api/v1/namespaces/default/pods"
BOB = {"impersonate-user": "bob"}
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
UPGRADE = {"upgrade": "websocket"}


def pod(name: str, *containers: str, **spec: Any) -> dict[str, Any]:
    listed = [{"name": one, "image": "nginx"} for one in containers or ("c",)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": listed, **spec}}


def grant(world: Any, *verbs: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}]
    world.call("POST", f"{RBAC}/roles", {"metadata": {"name": "r"}, "rules": rules})
    subject = {"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
    world.call("POST", f"{RBAC}/rolebindings", {"metadata": {"name": "rb"}, "roleRef": role, "subjects": [subject]})


def test_a_wrong_token_is_unauthorized_and_none_is_anonymous(world: Any) -> None:
    assert world.call("GET", PODS, headers={"authorization": "Bearer no.no.no"}).code == 401
    assert world.call("GET", PODS, headers={"authorization": "Bearer nonsense"}).code == 401
    assert world.call("GET", PODS, headers={"authorization": None}).code == 403
    assert world.call("GET", "/version", headers={"authorization": None}).code == 200


def test_roles_grant_what_they_name(world: Any) -> None:
    assert world.call("GET", PODS, headers=BOB).code == 403
    grant(world, "get", "list")
    assert world.call("GET", PODS, headers=BOB).code == 200
    assert world.call("POST", PODS, pod("p"), headers=BOB).code == 403
    assert world.call("GET", f"{PODS}/p/log", headers=BOB).code == 403


def test_reviews_say_the_same(world: Any) -> None:
    grant(world, "get")
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    for verb, allowed in (("get", True), ("delete", False)):
        asked = {"spec": {"resourceAttributes": {"namespace": "default", "verb": verb, "resource": "pods"}}}
        assert world.call("POST", path, asked, headers=BOB).body["status"]["allowed"] is allowed
    who = world.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers=BOB).body
    assert who["status"]["userInfo"]["username"] == "bob"


def test_a_service_account_token_works_until_it_ends(world: Any) -> None:
    asked = {"spec": {"expirationSeconds": 600}}
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    token = world.call("POST", path, asked).body["status"]["token"]
    bearer = {"authorization": f"Bearer {token}"}
    refused = world.call("GET", PODS, headers=bearer)
    assert refused.code == 403 and 'User "system:serviceaccount:default:default"' in refused.body["message"]
    world.clock.now += 601_000
    assert world.call("GET", PODS, headers=bearer).code == 401


def test_pods_run_as_an_account_that_is_there(world: Any) -> None:
    refused = world.call("POST", PODS, pod("p", serviceAccountName="nobody"))
    assert refused.body["message"] == (
        'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found'
    )
    spec = world.call("POST", PODS, pod("p")).body["spec"]
    assert spec["serviceAccount"] == "default" and len(spec["tolerations"]) == 2
    assert spec["containers"][0]["volumeMounts"][0]["name"] == spec["volumes"][0]["name"]


@pytest.mark.parametrize(
    "asked,words",
    [
        ("log?container=zz", "container zz is not valid for pod p"),
        ("log", "a container name must be specified for pod p, choose one of: [a b]"),
        ("exec?container=a&command=ls&stdout=true", "pod p does not have a host assigned"),
        ("portforward", "pod p does not have a host assigned"),
    ],
)
def test_streams_are_checked_first(world: Any, asked: str, words: str) -> None:
    world.call("POST", PODS, pod("p", "a", "b"))
    path, _, query = asked.partition("?")
    pairs = tuple(part.partition("=")[::2] for part in query.split("&") if part)
    answer = world.call("GET", f"{PODS}/p/{path}", query=pairs)
    assert answer.code == 400 and answer.body["message"] == words and not answer.wrote


def test_streams_reach_nodes_and_network(world: Any) -> None:
    world.call("POST", PODS, pod("p", nodeName="n"))
    log = world.call("GET", f"{PODS}/p/log", tailLines="3", follow="true")
    assert b'c {"follow": true' in log.response.body and b'"tailLines": 3' in log.response.body
    command = (("command", "ls"), ("command", "-l"), ("stdout", "true"))
    ran = world.call("GET", f"{PODS}/p/exec", headers=UPGRADE, query=command)
    assert ran.text == "c ['ls', '-l']" and ran.wrote
    assert world.call("GET", f"{PODS}/p/portforward", headers=UPGRADE, ports="80").text == "port 80"
    opened = world.call("GET", f"{PODS}/p/portforward", headers=UPGRADE)
    assert opened.begun.upgrade == "ports" and not opened.finished


def test_a_client_certificate_is_its_user_and_groups(world: Any) -> None:
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    reply = world.call("POST", path, {}, headers={"authorization": None}, identity=Identity("eve", ("team",)))
    assert reply.body["status"]["userInfo"] == {"username": "eve", "groups": ["team", "system:authenticated"]}
    boss = Identity("boss", ("system:masters",))
    assert world.call("GET", PODS, headers={"authorization": None}, identity=boss).code == 200


def test_impersonation_in_the_constrained_way_needs_both_verbs(world: Any) -> None:
    about = {"apiGroups": ["authentication.k8s.io"], "resources": ["users"], "verbs": ["impersonate:user-info"]}
    doing = {"apiGroups": [""], "resources": ["pods"], "verbs": ["impersonate-on:user-info:list"]}
    root = "/apis/rbac.authorization.k8s.io/v1"
    subject = {"kind": "User", "name": "deputy", "apiGroup": "rbac.authorization.k8s.io"}
    to = {"kind": "ClusterRole", "name": "as", "apiGroup": "rbac.authorization.k8s.io"}
    world.call("POST", f"{root}/clusterroles", {"metadata": {"name": "as"}, "rules": [about]})
    world.call(
        "POST", f"{root}/clusterrolebindings", {"metadata": {"name": "as"}, "roleRef": to, "subjects": [subject]}
    )
    grant(world, "list", "create")
    deputy = {"headers": {"authorization": None, "impersonate-user": "bob"}, "identity": Identity("deputy")}
    refused = world.call("GET", PODS, **deputy)
    assert refused.code == 403 and 'cannot impersonate-on:user-info:list resource "pods"' in refused.body["message"]
    world.call("PUT", f"{root}/clusterroles/as", {"metadata": {"name": "as"}, "rules": [about, doing]})
    assert world.call("GET", PODS, **deputy).code == 200
    assert world.call("POST", PODS, pod("p"), **deputy).code == 403
