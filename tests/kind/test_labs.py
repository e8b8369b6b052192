"""The labs on a real cluster: untouched exercises run to their end and say TODO, solutions PASS.

Traps and alternatives on a real cluster: `labkit labs verify --provider kind`, which takes minutes.
"""

from __future__ import annotations

import pytest

from kit.client.wait import wait
from kit.course.catalog import load
from kit.course.progress import Progress
from kit.course.session import Session
from kit.course.settled import standing
from kit.course.verify import by_notebook
from kit.notebook.lab import Lab

pytestmark = [pytest.mark.kind, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("number", [lesson.number for lesson in load().lessons])
def test_notebooks_say_todo_untouched_and_pass_solved(real_cluster, number):
    catalog = load()
    lesson = catalog.find(number)
    proofs = list(by_notebook(lesson, catalog.root, standing(real_cluster, lesson)))
    assert [str(proof) for proof in proofs if not proof.shown] == []
    for case in ("untouched", "solved"):
        assert {proof.exercise for proof in proofs if proof.case == case} == set(lesson.source.checks)


def test_a_service_s_url_is_a_port_of_this_machine(real_cluster):
    session = Session(load().find("01"), real_cluster, "en", Progress(None))
    session.reset()
    lab = Lab(session)
    node_port = real_cluster.ports[0]["port"]
    container = {"name": "c", "image": "traefik/whoami:v1.11", "imagePullPolicy": "IfNotPresent"}
    metadata = {"name": "who", "labels": {"app": "who"}}
    session.objects.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
    )
    ports = [{"port": 80, "nodePort": node_port}]
    spec = {"type": "NodePort", "selector": {"app": "who"}, "ports": ports}
    session.objects.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door"}, "spec": spec})
    try:
        assert lab.wait("pod/who ready", within="60s")
        assert lab.url("door") == f"http://127.0.0.1:{real_cluster.ports[0]['host_port']}"
        answer = wait(lambda: (found := lab.http(lab.url("door"))).status == 200 and found, "30s", session.clock)
        assert answer
        assert "Hostname: who" in answer.text
    finally:
        session.reset()
