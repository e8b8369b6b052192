"""Statuses that a real API server (1.37.2) took or refused: statuses.jsonl holds what was there, the merge patch, and its complaints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit.kube import kinds, validation
from kit.kube.patches import merge_patch

CASES = [json.loads(line) for line in (Path(__file__).parent / "statuses.jsonl").read_text().splitlines()]


def _object(case: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    head = {"apiVersion": case["apiVersion"], "kind": case["kind"], "metadata": {"name": "x"}}
    return {**head, "spec": case["spec"], "status": status}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_status_is_judged_as_by_a_real_server(number: int) -> None:
    """The same fields are refused for the same reasons in the same words and order."""
    case = CASES[number]
    resource = kinds.builtin().by_kind(case["apiVersion"], case["kind"])
    assert resource is not None
    old = _object(case, case["before"])
    new = _object(case, merge_patch(case["before"], case["status"]))
    causes = dict.fromkeys(validation.validate_status_update(new, old, resource))
    assert [[one.field, one.reason, one.message] for one in causes] == case["causes"], case["status"]
