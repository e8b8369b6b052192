"""A check's disturbance as a lease: how to undo it is in the cluster before it acts, because a kernel may die in the middle.

A simulated cluster undoes an expired lease itself (`/kit/v1/leases`). Elsewhere the lease is a ConfigMap of the lab's
namespace, and the next `kit.lab()` or `labkit reset` calls `undo_left_behind`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kit.client.capabilities import Control
from kit.client.objects import Objects
from kit.client.wait import milliseconds
from kit.errors import Status

LABEL = "labkit/lease"


@dataclass(frozen=True)
class Undo:
    """One request that takes a disturbance back."""

    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"

    def table(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "method": self.method,
            "path": self.path,
            "body": self.body,
            "headers": {"Content-Type": self.content_type},
        }


@contextmanager
def disturbance(
    objects: Objects, control: Control | None, name: str, within: str, undo: Sequence[Undo]
) -> Iterator[None]:
    """Hold a lease for the length of a `with` block; `undo` is sent at its end, or at the lease's expiry if we are gone."""
    tables = [step.table() for step in undo]
    if control is not None:
        control.take_lease(name, milliseconds(within), tables)
    else:
        _write(objects, name, tables)
    try:
        yield
    finally:
        if control is not None:
            control.end_lease(name)
        else:
            _send(objects, tables)
            objects.delete("configmap", _name(name))


def undo_left_behind(objects: Objects) -> list[str]:
    """Undo the leases of checks that died in this namespace; return their names."""
    found = []
    for entry in objects.list("configmap", labels=LABEL):
        _send(objects, json.loads(entry["data"]["undo"]))
        objects.delete("configmap", entry["metadata"]["name"])
        found.append(entry["data"]["name"])
    return found


def _write(objects: Objects, name: str, tables: list[dict[str, Any]]) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _name(name), "labels": {LABEL: "held", "course": "k8s-labs"}},
        "data": {"name": name, "undo": json.dumps(tables)},
    }
    try:
        objects.create(body)
    except Status as error:
        if error.reason != "AlreadyExists":
            raise


def _send(objects: Objects, tables: list[dict[str, Any]]) -> None:
    """Send the requests; one whose object is gone or already as it was is no failure."""
    for table in tables:
        answer = objects.connection.request(
            table["method"], table["path"], body=table["body"], content_type=table["headers"]["Content-Type"]
        )
        if answer.code >= 500:
            raise Status(
                "", f"undoing a disturbance failed: {answer.body.decode('utf-8', 'replace')}", code=answer.code
            )


def _name(name: str) -> str:
    return "labkit-lease-" + name.lower().replace(".", "-")
