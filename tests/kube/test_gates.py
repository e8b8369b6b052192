"""Fields of features that are off do not get into what is stored."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from kit.kube import gates

SPEC: dict[str, Any] = {
    "containers": [
        {"name": "a", "lifecycle": {"stopSignal": "SIGHUP"}, "livenessProbe": {"grpc": {"port": 1, "mode": "TLS"}}},
        {"name": "b", "lifecycle": {"stopSignal": "SIGHUP", "preStop": {"httpGet": {"port": 1, "protocol": "HTTP2"}}}},
        {"name": "c", "lifecycle": {}},
    ],
    "volumes": [{"name": "v", "secret": {"defaultUser": 7, "items": [{"key": "k", "path": "p", "user": 5}]}}],
    "schedulingGroup": {"podGroupName": "g"},
}
LEFT = {
    "containers": [
        {"name": "a", "livenessProbe": {"grpc": {"port": 1}}},
        {"name": "b", "lifecycle": {"preStop": {"httpGet": {"port": 1}}}},
        {"name": "c", "lifecycle": {}},
    ],
    "volumes": [{"name": "v", "secret": {"items": [{"key": "k", "path": "p"}]}}],
}


@pytest.mark.parametrize(
    ("kind", "path"),
    [("Pod", []), ("PodTemplate", ["template"]), ("Job.batch", ["spec", "template"]),
     ("CronJob.batch", ["spec", "jobTemplate", "spec", "template"]), ("ReplicationController", ["spec", "template"])],
)  # fmt: skip
def test_dropped_wherever_a_spec_is(kind: str, path: list[str]) -> None:
    """Every kind that holds a Pod's spec loses them, and what was given stays as it was."""
    obj, wanted = {"spec": SPEC}, {"spec": LEFT}
    for key in reversed(path):
        obj, wanted = {key: obj}, {key: wanted}
    before = deepcopy(obj)
    assert gates.dropped(obj, kind) == wanted
    assert obj == before


def test_what_has_none_is_the_same_object() -> None:
    """Nothing is copied where nothing goes."""
    obj = {"spec": LEFT}
    assert gates.dropped(obj, "Pod") is obj
    assert gates.dropped({"spec": SPEC}, "Service") == {"spec": SPEC}
