"""Secrets of type service-account-token: filled in, usable, and gone with their account."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from stage import Stage

SECRETS = "/api/v1/namespaces/default/secrets"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
NAME, UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


@pytest.fixture
def stage() -> Stage:
    """Return a stage with an account."""
    found = Stage()
    found.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa"}})
    return found


def make(stage: Stage, name: str, data: dict[str, str] | None = None, uid: str = "") -> None:
    """Make a Secret for a token of the account."""
    metadata = {"name": name, "annotations": {NAME: "sa", **({UID: uid} if uid else {})}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/service-account-token"}
    stage.create({**secret, **({"stringData": data} if data else {})})
    stage.settle()


def data(stage: Stage, name: str) -> dict[str, str]:
    """Return what a Secret holds."""
    found = stage.ask("GET", f"{SECRETS}/{name}")["data"]
    return {key: base64.b64decode(value).decode() for key, value in found.items()}


def review(stage: Stage, token: str) -> dict[str, Any]:
    """Return what the API says of a token."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    return dict(stage.ask("POST", REVIEWS, body)["status"])


def test_the_claims_are_those_of_a_real_token(stage: Stage) -> None:
    """Issuer, subject and what it says of Secret and account; no end and no audience."""
    make(stage, "tok")
    uid = stage.ask("GET", "/api/v1/namespaces/default/serviceaccounts/sa")["metadata"]["uid"]
    assert json.loads(data(stage, "tok")["token"]) == {
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "default",
        "kubernetes.io/serviceaccount/secret.name": "tok",
        "kubernetes.io/serviceaccount/service-account.name": "sa",
        "kubernetes.io/serviceaccount/service-account.uid": uid,
        "sub": "system:serviceaccount:default:sa",
    }
    assert stage.ask("GET", f"{SECRETS}/tok")["metadata"]["annotations"] == {NAME: "sa", UID: uid}


def test_the_token_is_good_while_the_secret_holds_it(stage: Stage) -> None:
    """It is the account's; when the Secret goes it is nobody's."""
    make(stage, "tok")
    token = data(stage, "tok")["token"]
    found = review(stage, token)
    assert found["authenticated"]
    assert found["user"]["username"] == "system:serviceaccount:default:sa"
    assert found["audiences"] == ["https://kubernetes.default.svc.cluster.local"]
    stage.ask("DELETE", f"{SECRETS}/tok")
    assert "authenticated" not in review(stage, token)


def test_what_somebody_filled_in_stays_but_the_authority(stage: Stage) -> None:
    """Token and namespace are written when they are missing, the certificate always."""
    make(stage, "own", {"token": "abc", "namespace": "foo", "ca.crt": "no", "more": "x"})
    found = data(stage, "own")
    assert (found["token"], found["namespace"], found["more"]) == ("abc", "foo", "x")
    assert found["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")


def test_a_secret_for_another_account_goes(stage: Stage) -> None:
    """An account of that name with another uid is another account."""
    make(stage, "wrong", uid="another")
    assert stage.call("GET", f"{SECRETS}/wrong")[0] == 404


def test_secrets_go_with_their_account(stage: Stage) -> None:
    """No account, no token; other Secrets stay."""
    make(stage, "tok")
    stage.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "plain", "annotations": {NAME: "sa"}}})
    stage.ask("DELETE", "/api/v1/namespaces/default/serviceaccounts/sa")
    stage.settle()
    assert [one["metadata"]["name"] for one in stage.ask("GET", SECRETS)["items"]] == ["plain"]
