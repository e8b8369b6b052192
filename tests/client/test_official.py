"""The unmodified official Python client against a whole embedded cluster: objects, watches, exec, port-forward, logs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward, stream

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def api(embedded: Any) -> Iterator[Any]:
    """Return the client of the cluster."""
    made = config.new_client_from_config(str(embedded.kubeconfig))
    yield made
    made.close()


@pytest.fixture
def core(api: Any) -> Any:
    """Return the core API. Streaming replaces a client's request method, so each test has its own."""
    return client.CoreV1Api(api)


def fresh(embedded: Any) -> Any:
    """Return a core API whose client is its own."""
    return client.CoreV1Api(config.new_client_from_config(str(embedded.kubeconfig)))


def pod(name: str, image: str, *command: str) -> Any:
    """Return a Pod of one container."""
    container = client.V1Container(name="c", image=image, command=list(command) or None)
    return client.V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=client.V1ObjectMeta(name=name, labels={"name": name}),
        spec=client.V1PodSpec(containers=[container]),
    )


def ready(core: Any, made: Any) -> None:
    """Make a Pod and wait until it is Ready."""
    core.create_namespaced_pod("default", made)
    name, end = made.metadata.name, time.monotonic() + 30
    while not any(
        one.type == "Ready" and one.status == "True"
        for one in core.read_namespaced_pod(name, "default").status.conditions or ()
    ):
        assert time.monotonic() < end, name
        time.sleep(0.1)


def test_objects_are_made_read_changed_and_deleted(core: Any) -> None:
    made = core.create_namespaced_config_map(
        "default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="m"), data={"a": "1"})
    )
    assert made.metadata.uid
    read = core.read_namespaced_config_map("m", "default")
    read.data["b"] = "2"
    assert core.replace_namespaced_config_map("m", "default", read).data == {"a": "1", "b": "2"}
    made.data["c"] = "3"
    with pytest.raises(ApiException) as caught:
        core.replace_namespaced_config_map("m", "default", made)
    assert (caught.value.status, "the object has been modified" in caught.value.body) == (409, True)
    assert core.patch_namespaced_config_map("m", "default", {"data": {"a": None}}).data == {"b": "2"}
    assert "m" in [one.metadata.name for one in core.list_namespaced_config_map("default").items]
    assert core.delete_namespaced_config_map("m", "default")["status"] == "Success"
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_config_map("m", "default")
    assert caught.value.status == 404


def test_a_deployment_is_scaled_by_its_scale(api: Any) -> None:
    apps = client.AppsV1Api(api)
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": "w"}),
        spec=client.V1PodSpec(
            containers=[client.V1Container(name="c", image="busybox:1.37", command=["sleep", "3600"])]
        ),
    )
    spec = client.V1DeploymentSpec(
        replicas=1, selector=client.V1LabelSelector(match_labels={"app": "w"}), template=template
    )
    apps.create_namespaced_deployment("default", client.V1Deployment(metadata=client.V1ObjectMeta(name="w"), spec=spec))
    apps.patch_namespaced_deployment_scale("w", "default", {"spec": {"replicas": 2}})
    end = time.monotonic() + 30
    while apps.read_namespaced_deployment("w", "default").status.ready_replicas != 2:
        assert time.monotonic() < end
        time.sleep(0.1)
    apps.delete_namespaced_deployment("w", "default")


def test_a_watch_shows_what_happens_from_a_revision_on(core: Any) -> None:
    listed = core.list_namespaced_pod("default")
    maker = threading.Thread(
        target=core.create_namespaced_pod, args=("default", pod("watched", "busybox:1.37", "sleep", "3600"))
    )
    seen, watching = [], watch.Watch()
    maker.start()
    for event in watching.stream(
        core.list_namespaced_pod,
        "default",
        label_selector="name=watched",
        resource_version=listed.metadata.resource_version,
        timeout_seconds=30,
    ):
        seen.append((event["type"], event["object"].status.phase))
        if seen[-1] == ("MODIFIED", "Running"):
            core.delete_namespaced_pod("watched", "default", grace_period_seconds=0)
        if event["type"] == "DELETED":
            watching.stop()
    maker.join()
    assert seen[0] == ("ADDED", "Pending")
    assert seen[-1][0] == "DELETED"


def test_a_watch_from_a_revision_of_the_future_waits_for_it(core: Any) -> None:
    seen = watch.Watch().stream(core.list_namespaced_pod, "default", resource_version="999999999", timeout_seconds=1)
    assert list(seen) == []


def test_exec_streams_both_ways_and_gives_the_exit_code(core: Any, embedded: Any) -> None:
    ready(core, pod("shell", "busybox:1.37", "sleep", "3600"))
    own = fresh(embedded)
    said = stream(
        own.connect_get_namespaced_pod_exec,
        "shell",
        "default",
        command=["echo", "hi"],
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
    )
    assert said == "hi\n"
    command = ["sh", "-c", "read x; echo out $x; echo err >&2; exit 7"]
    session = stream(
        own.connect_get_namespaced_pod_exec,
        "shell",
        "default",
        command=command,
        stdin=True,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    session.write_stdin("typed\n")
    session.run_forever(timeout=10)
    assert (session.read_stdout(), session.read_stderr(), session.returncode) == ("out typed\n", "err\n", 7)
    session.close()


def test_logs_are_read_and_followed(core: Any) -> None:
    ready(
        core, pod("talker", "busybox:1.37", "sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.3; done; sleep 3600")
    )
    lines = core.read_namespaced_pod_log("talker", "default", follow=True, _preload_content=False)
    text = b""
    for chunk in lines.stream():
        text += chunk
        if b"line 3" in text:
            break
    lines.close()
    assert text == b"line 1\nline 2\nline 3\n"
    assert core.read_namespaced_pod_log("talker", "default", tail_lines=1) == "line 3\n"


def test_port_forward_carries_bytes(core: Any, embedded: Any) -> None:
    ready(core, pod("web", "nginx:1.30"))
    forward = portforward(fresh(embedded).connect_get_namespaced_pod_portforward, "web", "default", ports="80")
    plug = forward.socket(80)
    plug.setblocking(True)
    plug.settimeout(10)
    plug.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    page = b""
    while data := plug.recv(65536):
        page += data
    plug.close()
    assert page.startswith(b"HTTP/1.1 200 OK\r\nServer: nginx/1.30.")
    assert b"Welcome to nginx!" in page
    assert forward.error(80) is None


def test_dynamic_reading_by_custom_objects(api: Any) -> None:
    found = client.CustomObjectsApi(api).list_cluster_custom_object("storage.k8s.io", "v1", "storageclasses")
    assert [one["metadata"]["name"] for one in found["items"]] == ["standard"]
    assert client.VersionApi(api).get_code().git_version.startswith("v1.37")
