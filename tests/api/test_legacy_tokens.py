"""Tokens of Secrets: their use is noted, a marked one is refused, and those nobody uses are marked and removed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from kit.embedded.controllers.legacytokencleaner import LegacyTokenCleaner
from kit.embedded.controllers.tokens import Tokens

SECRETS = "/api/v1/namespaces/default/secrets"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
PODS = "/api/v1/namespaces/default/pods"
USED, INVALID = "kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"
DAY = 86_400_000
TODAY = "2026-03-01"


@pytest.fixture
def world(staffed: Callable[[], Any]) -> Any:
    """Return a world that fills in tokens and cleans them up; their use is tracked since its first day."""
    made = staffed()
    made.engine.register(Tokens(made.api.context.signer))
    made.engine.register(LegacyTokenCleaner(made.clock))
    tracking = {"metadata": {"name": "kube-apiserver-legacy-service-account-token-tracking"}, "data": {"since": TODAY}}
    made.call("POST", "/api/v1/namespaces/kube-system/configmaps", tracking)
    return made


def token(world: Any, *, listed: bool = True, labels: dict[str, str] | None = None) -> dict[str, str]:
    """Make an account and its Secret, return the headers of who has its token."""
    secrets = {"secrets": [{"name": "s"}]} if listed else {}
    world.call("POST", ACCOUNTS, {"metadata": {"name": "a"}, **secrets})
    meta = {"name": "s", "annotations": {"kubernetes.io/service-account.name": "a"}, "labels": labels or {}}
    world.call("POST", SECRETS, {"metadata": meta, "type": "kubernetes.io/service-account-token"})
    world.run(1000)
    held = world.call("GET", f"{SECRETS}/s").body["data"]["token"]
    return {"authorization": f"Bearer {base64.b64decode(held).decode()}"}


def labels(world: Any) -> dict[str, str]:
    found: dict[str, str] = world.call("GET", f"{SECRETS}/s").body["metadata"].get("labels", {})
    return found


@pytest.mark.parametrize("before", [None, {USED: "2020-01-01"}])
def test_the_day_of_its_use_is_noted(world: Any, before: dict[str, str] | None) -> None:
    bearer = token(world, labels=before)
    assert world.call("GET", PODS, headers=bearer).code == 403
    assert labels(world) == {USED: TODAY}
    entries = world.call("GET", f"{SECRETS}/s").body["metadata"]["managedFields"]
    assert [one for one in entries if one["manager"] == "kube-apiserver" and f"f:{USED}" in str(one)]
    revision = world.store.revision
    world.call("GET", PODS, headers=bearer)
    assert world.store.revision == revision


@pytest.mark.parametrize("listed", [True, False])
def test_who_uses_one_that_was_made_by_itself_is_warned(world: Any, listed: bool) -> None:
    warned = world.call("GET", PODS, headers=token(world, listed=listed)).warnings
    words = "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens."
    assert warned == ([f'299 - "{words}"'] if listed else [])


@pytest.mark.parametrize("mark", ["2026-01-01", "junk"])
def test_a_marked_one_is_refused(world: Any, mark: str) -> None:
    bearer = token(world, labels={INVALID: mark})
    assert world.call("GET", PODS, headers=bearer).code == 401
    assert labels(world)[USED] == TODAY
    asked = {"spec": {"token": bearer["authorization"].removeprefix("Bearer ")}}
    assert world.call("POST", REVIEWS, asked).body["status"]["error"] == (
        "[invalid bearer token, the token in secret default/s for service account default/a has been marked invalid. Use tokens "
        "from the TokenRequest API or manually created secret-based tokens, or remove the "
        "'kubernetes.io/legacy-token-invalid-since' label from the secret to temporarily allow use of this token]"
    )


def test_one_that_is_not_used_for_a_year_is_marked_and_goes_a_year_later(world: Any) -> None:
    token(world)
    world.run(365 * DAY)
    assert INVALID not in labels(world)
    world.run(3 * DAY)
    assert labels(world)[INVALID].startswith("2027-03-0")
    world.run(360 * DAY)
    assert world.call("GET", f"{SECRETS}/s").code == 200
    world.run(8 * DAY)
    assert world.call("GET", f"{SECRETS}/s").code == 404


def test_one_that_was_made_by_hand_stays(world: Any) -> None:
    token(world, listed=False)
    world.run(800 * DAY)
    assert labels(world) == {}


def test_a_used_one_stays(world: Any) -> None:
    bearer = token(world)
    world.run(200 * DAY)
    world.call("GET", PODS, headers=bearer)
    world.run(300 * DAY)
    assert INVALID not in labels(world)
