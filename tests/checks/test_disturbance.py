"""A disturbance is written down before it acts, and undone at its end or by whoever comes next."""

from __future__ import annotations

import pytest

from kit.checks.disturbance import LABEL, Undo, disturbance, undo_left_behind
from kit.client.connect import Answer


class Cluster:
    """Objects and connection in one: ConfigMaps by name, requests as a list."""

    def __init__(self):
        self.maps, self.sent, self.connection = {}, [], self

    def create(self, body):
        self.maps[body["metadata"]["name"]] = body

    def delete(self, kind, name):
        assert kind == "configmap"
        return self.maps.pop(name, None) is not None

    def list(self, kind, labels=""):
        assert labels == LABEL
        return list(self.maps.values())

    def request(self, method, path, body=None, content_type=""):
        self.sent.append((method, path, body))
        return Answer(404, {}, b"{}")


class Control:
    def __init__(self):
        self.said = []

    def take_lease(self, name, within_ms, undo):
        self.said.append(("take", name, within_ms, len(undo)))

    def end_lease(self, name):
        self.said.append(("end", name))


UNDO = [Undo("PATCH", "/api/v1/nodes/n1", {"spec": {"unschedulable": None}}, "application/merge-patch+json")]


def test_without_a_control_surface_the_lease_is_a_config_map():
    cluster = Cluster()
    with disturbance(cluster, None, "X8.2", "30s", UNDO):
        assert list(cluster.maps) == ["labkit-lease-x8-2"]
        assert cluster.sent == []
    assert cluster.maps == {}
    assert cluster.sent == [("PATCH", "/api/v1/nodes/n1", {"spec": {"unschedulable": None}})]


def test_a_dead_kernel_s_lease_is_undone_by_the_next_lab():
    cluster = Cluster()
    held = disturbance(cluster, None, "X8.2", "30s", UNDO)
    held.__enter__()
    assert undo_left_behind(cluster) == ["X8.2"]
    assert len(cluster.sent) == 1
    assert undo_left_behind(cluster) == []


def test_a_failing_check_gives_its_lease_back():
    control = Control()

    def fail():
        with disturbance(Cluster(), control, "X1", "2m", UNDO):
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert control.said == [("take", "X1", 120_000, 1), ("end", "X1")]
