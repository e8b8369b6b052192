"""The kinds of a server, by any of their names, while definitions come and go."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from kit.client.connect import connect
from kit.client.objects import Objects
from kit.client.resources import Resources, discovered
from kit.errors import BadInput, Status


def definition(number: int) -> dict[str, Any]:
    """Return a CustomResourceDefinition whose group no other has."""
    group, version = f"g{number}.example.com", {"name": "v2", "served": True, "storage": True}
    version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "shortNames": ["th"]},
            "versions": [version],
        },
    }


def test_a_kind_by_any_of_its_names(embedded: Any) -> None:
    resources = Resources(connect(embedded.kubeconfig))
    deployment = resources.find("Deployment")
    assert deployment.path("default", "web", "scale") == "/apis/apps/v1/namespaces/default/deployments/web/scale"
    assert "deletecollection" in deployment.verbs
    for name in ("deployments", "deployment", "deploy", "DEPLOYMENTS.apps"):
        assert resources.find(name) is deployment
    assert resources.find("Event").api_version == "v1"
    assert resources.find("Event", "events.k8s.io/v1").group == "events.k8s.io"
    assert not resources.find("ns").namespaced
    with pytest.raises(BadInput, match="no kind Sprocket"):
        resources.find("Sprocket")


def test_groups_that_come_and_go_disturb_nobody(embedded: Any) -> None:
    objects, done = Objects(connect(embedded.kubeconfig), "default"), threading.Event()

    def churn() -> None:
        for number in range(40):
            made = objects.create(definition(number))
            objects.delete("CustomResourceDefinition", made["metadata"]["name"])
        done.set()

    churner = threading.Thread(target=churn)
    churner.start()
    connection, asked, failed = connect(embedded.kubeconfig), 0, []
    while not done.is_set() and not failed:
        try:
            assert {"Pod", "Deployment", "Lease"} <= {one.kind for one in discovered(connection)}
            asked += 1
        except Status as error:
            failed.append(error)
    churner.join()
    assert failed == []
    assert asked >= 5
