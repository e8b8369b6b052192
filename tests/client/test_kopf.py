"""An unmodified kopf operator, a process of its own, on a whole embedded cluster: handlers, finalizers, status, events."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from definitions import definition
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

pytestmark = pytest.mark.slow
OPERATOR = Path(__file__).parent / "operator_of_notes.py"
FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
NOTES = ("example.org", "v1", "default", "notes")


@pytest.fixture(scope="module")
def api(embedded: Any) -> Iterator[Any]:
    """Return the official client, which plays the operator's user."""
    made = config.new_client_from_config(str(embedded.kubeconfig))
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def operator(embedded: Any, api: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Define Notes, run the operator, and return the file with what it says."""
    client.ApiextensionsV1Api(api).create_custom_resource_definition(definition("Note"))
    said = tmp_path_factory.mktemp("kopf") / "said"
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace=default", str(OPERATOR)]
    environment = {**os.environ, "KUBECONFIG": str(embedded.kubeconfig)}
    with said.open("wb") as sink, subprocess.Popen(command, env=environment, stdout=sink, stderr=sink) as process:
        yield said
        process.terminate()
        assert process.wait(20) == 0, said.read_text(encoding="utf-8")
    assert "Traceback" not in said.read_text(encoding="utf-8")


@pytest.fixture
def until(operator: Path) -> Callable[[Callable[[], Any]], None]:
    """Return what waits for a condition; an object that is not there yet is as good as a condition that does not hold."""

    def wait(holds: Callable[[], Any]) -> None:
        end = time.monotonic() + 30
        while not _tried(holds):
            assert time.monotonic() < end, operator.read_text(encoding="utf-8")
            time.sleep(0.05)

    return wait


def _tried(holds: Callable[[], Any]) -> Any:
    try:
        return holds()
    except ApiException as error:
        if error.status != 404:
            raise
        return False


def test_a_custom_resource_is_handled_all_its_life(api: Any, until: Any) -> None:
    notes, core = client.CustomObjectsApi(api), client.CoreV1Api(api)
    body = {
        "apiVersion": "example.org/v1",
        "kind": "Note",
        "metadata": {"name": "n"},
        "spec": {"text": "one two three"},
    }
    notes.create_namespaced_custom_object(*NOTES, body)
    until(lambda: notes.get_namespaced_custom_object(*NOTES, "n").get("status", {}).get("words") == 3)
    made = notes.get_namespaced_custom_object(*NOTES, "n")
    assert made["metadata"]["finalizers"] == [FINALIZER]
    until(lambda: core.read_namespaced_config_map("n-child", "default"))
    owner = core.read_namespaced_config_map("n-child", "default").metadata.owner_references[0]
    assert (owner.kind, owner.uid) == ("Note", made["metadata"]["uid"])
    notes.patch_namespaced_custom_object(*NOTES, "n", {"spec": {"text": "two words"}})
    until(lambda: notes.get_namespaced_custom_object(*NOTES, "n")["status"]["words"] == 2)
    notes.delete_namespaced_custom_object(*NOTES, "n")
    until(lambda: core.read_namespaced_config_map("n-left", "default"))
    until(lambda: not notes.list_namespaced_custom_object(*NOTES)["items"])
    until(lambda: not core.list_namespaced_config_map("default", field_selector="metadata.name=n-child").items)
    events = core.list_namespaced_event("default", field_selector="involvedObject.kind=Note").items
    assert "Logging" in {one.reason for one in events}


def test_a_config_map_is_answered_and_released(api: Any, until: Any) -> None:
    core = client.CoreV1Api(api)
    made = {"metadata": {"name": "asked", "labels": {"watched": "yes"}}, "data": {"mark": "1"}}
    core.create_namespaced_config_map("default", made)

    def answered(text: str) -> bool:
        annotations = core.read_namespaced_config_map("asked", "default").metadata.annotations or {}
        return bool(annotations.get("answer") == text)

    until(lambda: answered("new"))
    core.patch_namespaced_config_map("asked", "default", {"data": {"mark": "2"}})
    until(lambda: answered("1 -> 2"))
    core.delete_namespaced_config_map("asked", "default")
    until(lambda: not core.list_namespaced_config_map("default", field_selector="metadata.name=asked").items)
