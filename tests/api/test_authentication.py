"""Which credentials count, and in which order: as a real API server was seen to answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from kit.embedded.core.turns import Identity

WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ADMIN = "admin-token"  # of the world
BOB = Identity("bob", ("devs",), "u-1", "4757d5")
NOBODY = Identity("", ("devs",))
PROTOCOL = "base64url.bearer.authorization.k8s.io."


def who(world: Any, identity: Identity | None = None, **headers: str | None) -> Any:
    named = {"authorization": None, **{name.replace("_", "-"): value for name, value in headers.items()}}
    reply = world.call("POST", WHO, {}, headers=named, identity=identity)
    return reply.body["status"]["userInfo"] if reply.code == 201 else reply.code


@pytest.mark.parametrize("token", [None, f"Bearer {ADMIN}", "Bearer wrong"])
def test_a_client_certificate_wins_over_any_token(world: Any, token: str | None) -> None:
    assert who(world, BOB, authorization=token) == {
        "username": "bob",
        "uid": "u-1",
        "groups": ["devs", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": ["X509SHA256=4757d5"]},
    }


def test_a_certificate_that_names_nobody_leaves_it_to_the_token(world: Any) -> None:
    assert who(world, NOBODY, authorization=f"Bearer {ADMIN}")["username"] == "kubernetes-admin"
    assert who(world, NOBODY) == 401


def test_who_says_that_he_is_not_authenticated_is_believed(world: Any) -> None:
    assert who(world, Identity("a", ("system:unauthenticated",))) == 403


@pytest.mark.parametrize(
    "header,user",
    [
        (f"Bearer {ADMIN}", "kubernetes-admin"),
        (f"bearer {ADMIN}", "kubernetes-admin"),
        (f" Bearer {ADMIN} more", "kubernetes-admin"),
        (f"Bearer  {ADMIN}", 403),
        ("Bearer", 403),
        (f"Token {ADMIN}", 403),
        ("Bearer wrong more", 401),
    ],
)
def test_the_bearer_token_is_the_second_word(world: Any, header: str, user: str | int) -> None:
    found = who(world, authorization=header)
    assert (found["username"] if isinstance(found, dict) else found) == user


def test_a_websocket_may_bring_its_token_among_the_protocols(world: Any) -> None:
    token = PROTOCOL + base64.urlsafe_b64encode(ADMIN.encode()).decode().rstrip("=")
    offers = {"upgrade": "websocket", "sec_websocket_protocol": f"{token}, v4.channel.k8s.io"}
    assert who(world, **offers)["username"] == "kubernetes-admin"
    assert who(world, **{**offers, "sec_websocket_protocol": token}) == 403
