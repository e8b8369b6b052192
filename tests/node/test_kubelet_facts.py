"""Plays the recorded kubelet cases on a whole embedded cluster and compares states, events, outputs and what is left.

`kubelet_cases.toml` says which are in scope, `tests/parity/ledger.toml` lists those that do not match, each with its reason.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recordings import Played, compare

HERE = Path(__file__).parent


def listed() -> dict[str, Any]:
    """Return which cases are in scope and which belong to later labs."""
    return tomllib.loads((HERE / "kubelet_cases.toml").read_text(encoding="utf-8"))


def test_every_recorded_case_is_listed(facts: Callable[[str], Any]) -> None:
    """Each is in scope, or belongs to a later lab that is named."""
    scope, later = set(listed()["in_scope"]), set(listed()["later"])
    assert scope | later == {case["id"] for case in facts("kubelet.jsonl")}
    assert not scope & later


def test_cases_match_or_are_listed(facts: Callable[[str], Any], ledger: Any) -> None:
    """Every case in scope goes as on a real cluster, or why it does not is written in the ledger; what matches is not in it."""
    scope = listed()["in_scope"]
    cases = [case for case in facts("kubelet.jsonl") if case["id"] in scope]
    missed = {case["id"]: found[0] for case in cases if (found := compare(case))}
    ledger.hold("kubelet.jsonl", [case["id"] for case in cases], missed)


def test_a_node_without_power(facts: Callable[[str], Any]) -> None:
    """The recorded node that was off misses nothing but events of the node (see the ledger), of which none is too many."""
    case = next(case for case in facts("kubelet.jsonl") if case["id"] == "klet-node-stop")
    played = Played(case)
    listing = "kubectl get events -n default"
    assert [text for text in played.unlike() if not text.startswith(listing)] == []
    outputs = dict(played.outputs)
    compared = [
        number
        for number, step in enumerate(case["steps"])
        if number in outputs and "kubectl get" in step.get("command", "")
    ]
    assert compared == [4, 6, 8, 10, 13, 15, 17, 19, 20]
    for step in case["expect"]["steps"]:
        if case["steps"][step["step"]].get("command", "").startswith(listing):
            said = played.words.printed(str(outputs[step["step"]]["stdout"])).splitlines()
            assert not Counter(said) - Counter(step["stdout"].splitlines())


def test_another_recording_would_not_match(facts: Callable[[str], Any]) -> None:
    """A wrong exit code, event, output or status is seen."""
    cases = {case["id"]: case for case in facts("kubelet.jsonl")}
    for id, part, right, wrong in (
        ("klet-exit-1-onfailure", "pods", '"RESTARTS": "1"', '"RESTARTS": "7"'),
        ("klet-exit-1-onfailure", "pods", '"exitCode": 1', '"exitCode": 2'),
        ("klet-exit-1-onfailure", "events", "Container started", "Container begun"),
        ("klet-exit-1-onfailure", "steps", "run\\n", "ran\\n"),
        ("klet-exit-0-never", "objects", "BestEffort", "Guaranteed"),
        ("klet-probe-ready-toggle", "slices", '"serving": true', '"serving": false'),
    ):
        case = cases[id]
        told = json.dumps(case["expect"][part])
        assert right in told
        assert compare({**case, "expect": {**case["expect"], part: json.loads(told.replace(right, wrong))}}), (
            right,
            wrong,
        )
