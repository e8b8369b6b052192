"""/kit/v1: who may, and what it answers."""

from __future__ import annotations

import pytest


def test_it_is_for_the_administrator_only(running, tmp_path):
    assert running.call("GET", "/kit/v1/version", admin=False).status == 401
    assert running.call("GET", "/kit/v1/version", headers={"Authorization": "Bearer nope"}).status == 403
    assert running.call("GET", f"/kit/v1/version?token={running.credentials.token_text}", admin=False).status == 401
    certificate, key = running.credentials.client_certificate("root", ("system:masters",))
    (tmp_path / "c.pem").write_bytes(certificate + key)
    running.context.load_cert_chain(tmp_path / "c.pem")
    assert running.call("GET", "/kit/v1/version", admin=False).json() == {
        "provider": "embedded", "version": "9.9", "kubernetes": "v1.37.2",
    }  # fmt: skip


def test_clock_of_a_settled_cluster(settled):
    clock = settled.call("GET", "/kit/v1/clock").json()
    assert clock == {"mode": "settled", "speed": 1.0, "now_ms": 0, "epoch_ms": 1_000_000, "quiet": True}
    assert settled.call("POST", "/kit/v1/clock", {"run_until_ms": 5000}).json()["now_ms"] == 5000
    moved = settled.call("POST", "/kit/v1/clock", {"advance_ms": 300_000}).json()
    assert (moved["now_ms"], moved["epoch_ms"]) == (305_000, 700_000)
    assert settled.call("POST", "/kit/v1/clock", {"run": 10_000}).json()["now_ms"] == 305_000
    settled.call("POST", "/later?ms=60000")
    assert settled.call("POST", "/kit/v1/clock", {"run": 600_000}).json()["now_ms"] == 365_000
    assert settled.call("POST", "/kit/v1/clock", {"speed": 2}).status == 400


def test_clock_in_real_time(running):
    assert running.call("POST", "/kit/v1/clock", {"speed": 20}).json()["speed"] == 20.0
    before = running.call("GET", "/kit/v1/clock").json()
    after = running.call("POST", "/kit/v1/clock", {"advance_ms": 60_000}).json()
    assert after["now_ms"] >= before["now_ms"] + 60_000
    assert after["epoch_ms"] <= before["epoch_ms"] - 60_000


@pytest.mark.parametrize("body", [{}, {"advance_ms": -1}, {"advance_ms": "5"}, {"unknown": 1}, {"speed": 1, "run": 1}])
def test_a_clock_takes_one_order_that_makes_sense(running, body):
    assert running.call("POST", "/kit/v1/clock", body).status == 400


def test_reset_returns_when_the_namespaces_are_gone(settled):
    assert settled.call("POST", "/kit/v1/reset", {"namespaces": ["shop"]}).json() == {"namespaces": ["shop"]}
    assert settled.machine.namespaces == set()


def test_outside_waits_for_the_answer(settled):
    answer = settled.call("POST", "/kit/v1/outside", {"method": "GET", "url": "http://172.18.0.2:30080/"})
    assert answer.json() == {"status": 200, "url": "http://172.18.0.2:30080/", "error": None}


def test_trace_gives_the_number_to_ask_for_next(running):
    for number in range(3):
        running.do(lambda n=number: running.machine.trace.add(n, "me", "did", f"thing {n}", {"n": n}))
    first = running.call("GET", "/kit/v1/trace?since=2").json()
    assert [event["seq"] for event in first["events"]] == [2, 3]
    assert first["events"][0] == {
        "seq": 2,
        "ms": 1,
        "actor": "me",
        "verb": "did",
        "what": "thing 1",
        "detail": {"n": 1},
    }
    assert running.call("GET", f"/kit/v1/trace?since={first['next']}").json() == {"events": [], "next": 4}


def test_leases_are_taken_and_ended(running):
    undo = [{"method": "DELETE", "path": "/api/v1/namespaces/a/pods/x"}]
    running.call("POST", "/kit/v1/leases", {"id": "a", "within_ms": 5000, "undo": undo})
    assert running.machine.leases == {"a": (5000, undo)}
    assert running.call("DELETE", "/kit/v1/leases?id=a").json() == {"released": True}
    assert running.call("DELETE", "/kit/v1/leases?id=a").json() == {"released": False}
    assert running.call("POST", "/kit/v1/leases", {"id": "a"}).status == 400


def test_faults_are_begun_listed_and_ended(running):
    wanted = {"fault": "node-off", "target": "a-node"}
    assert running.call("POST", "/kit/v1/faults", wanted).json() == {**wanted, "begun": True}
    assert running.call("GET", "/kit/v1/faults").json() == {"faults": [wanted], "known": ["node-off"]}
    assert running.call("DELETE", "/kit/v1/faults?fault=node-off&target=a-node").json() == {"mended": 1}
    running.call("POST", "/kit/v1/faults", wanted)
    assert running.call("DELETE", "/kit/v1/faults").json() == {"mended": 1}
    assert running.machine.faults.lasting == []
    wrong = running.call("POST", "/kit/v1/faults", {"fault": "node-off", "target": "b"})
    assert (wrong.status, wrong.json()["message"]) == (400, "there is one node: a-node")
    assert running.call("POST", "/kit/v1/faults", {"fault": "node-off"}).status == 400
    assert running.call("DELETE", "/kit/v1/faults?fault=node-off").status == 400


@pytest.mark.parametrize(
    "method, path, code",
    [("POST", "checkpoints/x", 501), ("PUT", "faults", 405), ("GET", "nothing", 404), ("PUT", "clock", 405)],
)
def test_what_is_not_there_is_refused_in_words(running, method, path, code):
    answer = running.call(method, f"/kit/v1/{path}")
    assert (answer.status, answer.json()["kind"]) == (code, "Status")
    assert answer.json()["message"]
