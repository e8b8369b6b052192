"""Namespaces deleted on a real cluster, and waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from kit.client.connect import Connection, status_of
from kit.errors import Refused, Unavailable

GONE_S = 120.0
KEPT = ("default", "kube-system", "kube-public", "kube-node-lease")


def empty(connection: Connection, namespaces: list[str], pause: Callable[[float], None] = time.sleep) -> None:
    """Delete namespaces and return when they are gone; Refused for those that the cluster lives on."""
    for name in namespaces:
        if name in KEPT:
            raise Refused(f"the namespace {name} is the cluster's own", "name the namespace of a lab")
    for name in namespaces:
        answer = connection.request("DELETE", f"/api/v1/namespaces/{name}")
        if answer.code not in {200, 202, 404, 409}:  # 409: it is being deleted
            raise status_of(answer)
    limit = time.monotonic() + GONE_S
    for name in namespaces:
        while connection.request("GET", f"/api/v1/namespaces/{name}").code != 404:
            if time.monotonic() > limit:
                raise Unavailable(
                    f"the namespace {name} is not gone after {GONE_S:.0f} s",
                    f"kubectl get namespace {name} -o yaml names what holds it",
                )
            pause(0.3)
