"""The provider of shared clusters, against a cluster that answers over HTTPS (an embedded one stands for the workshop's)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from kit.client.connect import connect
from kit.client.objects import Objects
from kit.errors import Refused, Status, Unavailable
from kit.providers.base import Wanted, quiet
from kit.providers.embedded import Embedded
from kit.providers.kubeconfig import Kubeconfig

pytestmark = pytest.mark.slow
OURS = {"app.kubernetes.io/managed-by": "kit"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start one embedded cluster, with a learner's namespace and somebody else's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        handle = Embedded().up(Wanted("school", clock="settled"), quiet)
        objects = Objects(connect(handle.kubeconfig))
        for name, labels in (("lab-ann", OURS), ("payroll", {})):
            objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        yield Path(handle.kubeconfig)
        Embedded().down("school", delete=True)


def asked(cluster, **more):
    return Wanted("class", options={"kubeconfig": str(cluster), "namespace": "lab-ann", **more})


def test_a_labelled_namespace_is_taken_and_everything_is_named(home, cluster):
    said = []
    handle = Kubeconfig().up(asked(cluster), said.append)
    assert handle.namespace == "lab-ann"
    assert all(word in said[0] for word in (str(cluster), "server https://", "context ", "user ", "namespace lab-ann"))
    assert stat.S_IMODE(handle.kubeconfig.stat().st_mode) == 0o600
    assert yaml.safe_load(handle.kubeconfig.read_text())["contexts"][0]["context"]["namespace"] == "lab-ann"
    assert connect(handle.kubeconfig).namespace == "lab-ann"

    (found,) = Kubeconfig().status()
    assert (found.state, found.name) == ("running", "class")
    assert Kubeconfig().handle("class") == handle
    assert Kubeconfig().up(Wanted("class"), quiet) == handle
    before = cluster.read_bytes()
    assert Kubeconfig().down("class")
    assert not handle.kubeconfig.exists()
    assert cluster.read_bytes() == before
    assert not Kubeconfig().down("class")


def test_a_namespace_without_our_label_is_refused(home, cluster):
    with pytest.raises(Refused, match="payroll is not marked") as raised:
        Kubeconfig().up(asked(cluster, namespace="payroll"), quiet)
    assert "kubectl label namespace payroll" in raised.value.next
    assert Kubeconfig().status() == []
    with pytest.raises(Status, match="not found"):
        Kubeconfig().up(asked(cluster, namespace="nowhere"), quiet)


def test_a_reset_deletes_only_what_is_ours(home, cluster):
    handle = Kubeconfig().up(asked(cluster), quiet)
    objects = Objects(connect(handle.kubeconfig))
    for name, labels in (("mine", OURS), ("theirs", {})):
        objects.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})
    with pytest.raises(Refused, match="payroll is not yours"):
        Kubeconfig().reset("class", ["payroll"])
    Kubeconfig().reset("class", [])
    assert objects.find("configmap", "mine") is None
    assert objects.find("configmap", "theirs")
    objects.delete("configmap", "theirs")


def test_a_cluster_that_is_not_there(home, tmp_path):
    with pytest.raises(Unavailable, match="no cluster named class answers"):
        Kubeconfig().reset("class", [])
    assert Kubeconfig().handle("class") is None
