"""The list of recorded kubelet cases is complete: each is in scope, or belongs to a later lab that is named."""

from __future__ import annotations

import tomllib
from pathlib import Path


def test_every_recorded_case_is_listed(facts):
    listed = tomllib.loads(Path(__file__).with_name("kubelet_cases.toml").read_text(encoding="utf-8"))
    recorded = {case["id"] for case in facts("kubelet.jsonl")}
    assert set(listed["in_scope"]) | set(listed["later"]) == recorded
    assert not set(listed["in_scope"]) & set(listed["later"])


def test_every_event_reason_of_the_kubelet_in_scope_is_in_the_code(facts):
    """The reasons of the recorded events must be written somewhere in kit/embedded/node."""
    root = Path(__file__).parents[2] / "kit/embedded/node"
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(root.glob("*.py")))
    listed = tomllib.loads(Path(__file__).with_name("kubelet_cases.toml").read_text(encoding="utf-8"))
    reasons = {
        event["reason"]
        for case in facts("kubelet.jsonl")
        if case["id"] in listed["in_scope"]
        for event in case["expect"]["events"]
        if event["source"] == "kubelet"
    }
    assert sorted(reason for reason in reasons if f'"{reason}"' not in code) == []
