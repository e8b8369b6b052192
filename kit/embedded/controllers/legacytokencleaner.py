"""Marks and then removes tokens that were once made by themselves for a service account and that nobody has used for a year.

Models pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go: a token is one of those when its account lists its Secret.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.api.legacytokens import INVALID, LAST_USED
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import After, Delete, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import times

TYPE = "kubernetes.io/service-account-token"
ACCOUNT = "kubernetes.io/service-account.name"
TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
DAY = 86_400_000
YEAR = 365 * DAY


class LegacyTokenCleaner:
    """The cleaner: it looks once a day."""

    name = "legacy-serviceaccount-token-cleaner-controller"
    user = "system:serviceaccount:kube-system:legacy-service-account-token-cleaner"
    manager = "kube-controller-manager"
    component = "legacy-service-account-token-cleaner"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {"secrets": _tokens}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Mark a token that was not used for a year, or remove one that was marked a year ago."""
        secret = view.at(key)
        if secret is None or "deletionTimestamp" in secret["metadata"]:
            return
        if now % DAY == 0 and self._unused(secret, view):
            marked = _date((secret["metadata"].get("labels") or {}).get(INVALID))
            if marked is None:
                patch = {"metadata": {"labels": {INVALID: self._clock.text()[:10]}}}
                answer = yield Patch(key, patch)
            elif marked < self._clock.wall() - YEAR:
                version = secret["metadata"]["resourceVersion"]
                answer = yield Delete(key, {"preconditions": {"resourceVersion": version}})
            else:
                answer = None
            if isinstance(answer, Status) and answer.reason != "NotFound":
                raise answer
        yield After(DAY - now % DAY, housekeeping=True)

    def _unused(self, secret: Obj, view: View) -> bool:
        """Return whether a token is of a made kind, and neither new, nor used, nor mounted since a year ago."""
        meta, before = secret["metadata"], self._clock.wall() - YEAR
        tracked = _date((view.get("configmaps", "kube-system", TRACKING) or {}).get("data", {}).get("since"))
        if tracked is None or before < tracked + DAY or times.parse(meta["creationTimestamp"]) >= before:
            return False
        used = _date((meta.get("labels") or {}).get(LAST_USED))
        if used is not None and used >= before:
            return False
        account = view.get("serviceaccounts", meta["namespace"], (meta.get("annotations") or {}).get(ACCOUNT, ""))
        listed = {one.get("name") for one in (account or {}).get("secrets") or ()}
        return meta["name"] in listed and not _mounted(view, meta["namespace"], meta["name"])


def _tokens(event: Event, view: View) -> Iterable[Key]:
    return (event.key,) if event.obj.get("type") == TYPE else ()


def _date(text: str | None) -> int | None:
    """Return the beginning of a day, None for what is no date."""
    try:
        return times.parse(f"{text}T00:00:00Z")
    except times.TimeError:
        return None


def _mounted(view: View, namespace: str, name: str) -> bool:
    volumes = (one for pod in view.list("pods", namespace) for one in pod["spec"].get("volumes") or ())
    return any((one.get("secret") or {}).get("secretName") == name for one in volumes)
