"""Objects that nothing acts on yet are answered with a warning that says so."""

from __future__ import annotations

import pytest
from stage import PlainSigner, Stage

from kit.embedded import controllers
from kit.embedded.api.absent import UNWATCHED
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import itself
from kit.embedded.core.ids import Ids
from kit.kube import kinds

POD = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "facts/ready:1"}]}}
ONCE = {"spec": {**POD["spec"], "restartPolicy": "Never"}}
SELECTOR = {"matchLabels": {"app": "x"}}
SPECS = {
    "statefulsets.apps": {"selector": SELECTOR, "serviceName": "x", "template": POD},
    "daemonsets.apps": {"selector": SELECTOR, "template": POD},
    "jobs.batch": {"template": ONCE},
    "cronjobs.batch": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": ONCE}}},
    "replicationcontrollers": {"selector": {"app": "x"}, "template": POD},
    "horizontalpodautoscalers.autoscaling": {
        "maxReplicas": 2,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
    },
    "poddisruptionbudgets.policy": {"minAvailable": 1, "selector": SELECTOR},
    "resourcequotas": {"hard": {"pods": "1"}},
    "persistentvolumeclaims": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    "ingresses.networking.k8s.io": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}},
}


def warnings(headers: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the texts of the Warning headers."""
    return [value for name, value in headers if name == "Warning"]


@pytest.fixture(scope="module")
def stage() -> Stage:
    """Return a stage."""
    return Stage()


@pytest.mark.parametrize("resource", UNWATCHED)
def test_its_maker_is_warned(stage: Stage, resource: str) -> None:
    """Creating one gives one warning that names the kind and the provider that has it; a dry run and an update give none."""
    found = stage.api.context.registry.by_group_resource(resource)
    assert found is not None
    kind, _ = UNWATCHED[resource]
    assert found.kind == kind
    obj = {"apiVersion": found.api_version, "kind": kind, "metadata": {"name": "x"}, "spec": SPECS[resource]}
    path = found.collection("default")
    code, _, headers = stage.call("POST", path, obj, query=[("dryRun", "All")])
    assert (code, warnings(headers)) == (201, [])
    code, made, headers = stage.call("POST", path, obj)
    assert code == 201, made
    (told,) = warnings(headers)
    assert told.startswith(f'299 - "nothing acts on {kind} objects in the embedded cluster yet: ')
    assert "--provider kind" in told
    code, _, headers = stage.call("PUT", f"{path}/x", made)
    assert (code, warnings(headers)) == (200, [])


def test_what_is_acted_on_warns_of_nothing(stage: Stage) -> None:
    """A Deployment has its controller."""
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x"},
        "spec": {"selector": SELECTOR, "template": POD},
    }
    code, _, headers = stage.call("POST", "/apis/apps/v1/namespaces/default/deployments", obj)
    assert (code, warnings(headers)) == (201, [])


def test_a_kind_with_a_controller_is_not_listed() -> None:
    """The line of a kind goes when its controller comes."""
    built = controllers.build(clock=Clock(0), ids=Ids(1), signer=PlainSigner(), registry=kinds.builtin())
    acted_on = {resource for one in built for resource, mapper in one.watches.items() if mapper is itself}
    assert not acted_on & set(UNWATCHED)
    assert "deployments.apps" in acted_on
