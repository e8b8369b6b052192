"""The unmodified kr8s against a whole embedded cluster: its ordinary flows."""

from __future__ import annotations

import threading
import urllib.request
from typing import Any

import kr8s
import pytest
from definitions import definition
from kr8s.objects import ConfigMap, CustomResourceDefinition, Deployment, Pod, new_class

pytestmark = [
    pytest.mark.slow,
    # it says so of every server newer than its own release
    pytest.mark.filterwarnings("ignore:Kubernetes version:UserWarning"),
]


@pytest.fixture
def api(embedded: Any) -> Any:
    """Return the client of the cluster, made from its kubeconfig."""
    return kr8s.api(kubeconfig=str(embedded.kubeconfig))


def config_map(api: Any, name: str, **data: str) -> ConfigMap:
    """Return a ConfigMap that is not there yet."""
    return ConfigMap({"metadata": {"name": name, "labels": {"of": "kr8s"}}, "data": data}, api=api)


def pod(api: Any, name: str, image: str, *command: str) -> Pod:
    """Return a Pod that is there and Ready."""
    made = Pod.gen(name=name, image=image, command=list(command) or None)
    made.api = api
    made.create()
    made.wait("condition=Ready", timeout=30)
    return made


def test_the_cluster_says_who_and_what_it_is(api: Any) -> None:
    assert api.version()["gitVersion"].startswith("v1.37")
    assert api.whoami()
    assert {"v1", "apps/v1"} <= set(api.api_versions())
    assert "lab-control-plane" in [node.name for node in api.get("nodes")]


def test_objects_are_made_read_changed_and_deleted(api: Any) -> None:
    made = config_map(api, "k", a="1")
    made.create()
    assert (made.exists(), bool(made.metadata.uid)) == (True, True)
    made.patch({"data": {"b": "2"}})
    made.label({"more": "yes"})
    made.annotate(note="n")
    made.remove_label("of")
    made.patch([{"op": "remove", "path": "/data/a"}], type="json")
    read = ConfigMap.get("k", api=api)
    assert (dict(read.data), dict(read.labels), read.annotations["note"]) == ({"b": "2"}, {"more": "yes"}, "n")
    assert [one.name for one in api.get("cm", label_selector={"more": "yes"}, namespace=kr8s.ALL)] == ["k"]
    with pytest.raises(kr8s.ServerError) as caught:
        config_map(api, "k").create()
    assert str(caught.value) == 'configmaps "k" already exists'
    made.delete()
    made.wait("delete", timeout=10)
    with pytest.raises(kr8s.NotFoundError):
        ConfigMap.get("k", api=api)


def test_a_deployment_is_waited_for_and_scaled(api: Any) -> None:
    labels = {"app": "kr8s"}
    container = {"name": "c", "image": "nginx:1.30"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    made = Deployment({"metadata": {"name": "kr8s"}, "spec": spec}, api=api)
    made.create()
    made.wait("condition=Available", timeout=30)
    made.scale(2)
    made.wait("jsonpath='{.status.readyReplicas}'=2", timeout=30)
    assert len(made.pods()) == 2
    made.delete(propagation_policy="Foreground")
    made.wait("delete", timeout=30)


def test_a_watch_shows_what_happens(api: Any) -> None:
    made = config_map(api, "seen", a="1")
    maker = threading.Thread(target=made.create)
    maker.start()
    seen = []
    for event, one in api.watch("configmaps", field_selector={"metadata.name": "seen"}):
        seen.append(event)
        if event == "ADDED":
            one.patch({"data": {"a": "2"}})
        elif event == "MODIFIED":
            one.delete()
        else:
            break
    maker.join()
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


def test_logs_and_exec(api: Any) -> None:
    talker = pod(api, "k-talker", "busybox:1.37", "sh", "-c", "for i in 1 2 3; do echo line $i; done; sleep 3600")
    assert list(talker.logs(tail_lines=2)) == ["line 2", "line 3"]
    followed = talker.logs(follow=True)
    assert [next(followed) for _ in range(3)] == ["line 1", "line 2", "line 3"]
    done = talker.exec(["sh", "-c", "echo out; echo err >&2; exit 7"], check=False)
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)
    talker.delete(grace_period=0)


def test_a_port_is_forwarded(api: Any) -> None:
    web = pod(api, "k-web", "nginx:1.30")
    with web.portforward(80) as port, urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10) as page:
        assert "Welcome to nginx!" in page.read().decode()
    web.delete(grace_period=0)


def test_custom_resources(api: Any) -> None:
    defined = CustomResourceDefinition(definition("Parcel"), api=api)
    defined.create()
    defined.wait("jsonpath='{.status.acceptedNames.kind}'=Parcel", timeout=30)  # kr8s can't read `conditions: null`
    defined.wait("condition=Established", timeout=30)
    parcel = new_class("Parcel", "example.org/v1", asyncio=False, scalable=True, scalable_spec="copies")
    made = parcel({"metadata": {"name": "one"}, "spec": {"text": "book"}}, api=api)
    made.create()
    assert dict(made.spec) == {"text": "book", "copies": 1}
    made.patch({"status": {"words": 1}}, subresource="status")
    made.scale(3)
    assert (made.spec.copies, made.status.words) == (3, 1)
    assert [one.name for one in api.get("parcels.example.org")] == ["one"]
    made.delete()
    defined.delete()
