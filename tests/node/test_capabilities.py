"""Capabilities of a container: what securityContext asks for, /proc/PID/status shows and the kernel allows."""

from __future__ import annotations

import pytest
from commandline import Commandline
from whole import Whole

from kit.embedded.core.capabilities import bounding, held, shown


@pytest.mark.parametrize(
    ("context", "bits"),
    [
        ({}, 0xA80425FB),
        ({"capabilities": {"drop": ["ALL"]}}, 0),
        ({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}, 0x400),
        ({"capabilities": {"drop": ["NET_RAW"]}}, 0xA80405FB),
        ({"capabilities": {"add": ["SYS_TIME"]}}, 0xAA0425FB),
        ({"privileged": True}, 0x1FFFFFFFFFF),
    ],
)
def test_bounding(context, bits):
    assert bounding(context) == bits


def test_a_user_keeps_only_the_bounding_set():
    usual = "00000000a80425fb"
    assert f"CapEff:\t{usual}\nCapBnd:\t{usual}\n" in shown(bounding({}), 0)
    assert f"CapEff:\t{0:016x}\nCapBnd:\t{usual}\n" in shown(bounding({}), 101)
    assert held(bounding({}), 0, "CHOWN")
    assert not held(bounding({}), 101, "CHOWN")


def test_recorded_status_of_a_usual_and_a_bare_container(facts):
    (case,) = (one for one in facts("kubelet.jsonl") if one["id"] == "klet-sec-caps")
    logs = {one["command"].split()[2]: one["stdout"] for one in case["expect"]["final"] if " logs " in one["command"]}
    for pod, context in (("p", {"capabilities": {"drop": ["ALL"]}}), ("q", {})):
        assert shown(bounding(context), 0) in logs[pod]


def test_recorded_output_of_a_usual_and_a_bare_container(facts):
    (case,) = (one for one in facts("kubelet.jsonl") if one["id"] == "klet-sec-caps")
    logs = {one["command"].split()[2]: one["stdout"] for one in case["expect"]["final"] if " logs " in one["command"]}
    whole = Whole("klet")
    for step in case["steps"][:2]:
        whole.create(step["create"], "klet")
    whole.pass_time(5000)
    for pod in ("p", "q"):  # which of two streams is read first is chance
        ours = Commandline(whole).run(f"kubectl logs {pod}", None)[0]
        assert sorted(ours.splitlines()) == sorted(logs[pod].splitlines())
