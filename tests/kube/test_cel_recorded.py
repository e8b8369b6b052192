"""What expressions give and why they are refused, as a real API server answered (`tests/api/record_cel.py` asks it again)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit.kube.admission.expressions import environment
from kit.kube.cel.engine import Budget, CompileError, PlanError, RunError, compiled
from kit.kube.cel.library.authorizing import Answer, Authorizer, resource_check
from kit.kube.cel.library.texts import shown

RECORDED = json.loads((Path(__file__).parents[1] / "api" / "recorded" / "cel.json").read_text())
ADMIN = Authorizer(lambda account, _: Answer(account is None))
VALUES: dict[str, Any] = {
    "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p1"}, "data": {"a": "x", "b-c": "y"}},
    "oldObject": None,
    "authorizer": ADMIN,
    "authorizer.requestResource": resource_check(ADMIN, resource="configmaps"),
    "request": {
        "operation": "CREATE",
        "name": "p1",
        "namespace": "default",
        "kind": {"kind": "ConfigMap"},
        "resource": {"resource": "configmaps"},
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]},
        "dryRun": True,
        "options": {"kind": "CreateOptions"},
    },
    "namespaceObject": {
        "metadata": {"name": "default", "labels": {"kubernetes.io/metadata.name": "default"}},
        "status": {"phase": "Active"},
    },
}
# Names of time zones are not known here (only offsets and UTC); Go's maps of JSON tell their keys' type; the rest are second errors that
# ANTLR finds after the first one, and roundings of quantities.
DIFFERENT = frozenset(
    [
        "[[1, [2]], [3]].flatten()",
        'quantity("1.5Gi").asInteger()',
        'semver("V1.2.3", true)',
        'timestamp("2020-01-01T00:00:00Z").getHours("America/New_York")',
        'timestamp("2020-07-01T00:00:00Z").getHours("America/New_York")',
        'timestamp("2020-07-01T00:00:00Z").getHours("Europe/Berlin")',
        'timestamp("2020-07-01T00:00:00Z").getDayOfWeek("Asia/Tokyo")',
        'timestamp("2020-01-01T00:00:00Z").getHours("Local")',
        '{1.5: "a"}',
        '{[1]: "a"}',
        "null < null",
        "object.data[0]",
        "! ",
        "-",
        "--",
        "!!",
        "[, 1]",
        "f(,)",
        "object.in",
        '{"a": 1}.in',
    ]
)


def answer(text: str) -> dict[str, str]:
    """Return what is said of an expression, as the recorder keeps it."""
    try:
        program = compiled(text, environment(params=False, inside=True))
    except PlanError as error:
        return {"refused": f"Internal error: {error}"}
    except CompileError as error:
        return {"refused": f"Invalid value: {json.dumps(text, ensure_ascii=False)}: compilation failed: {error}"}
    try:
        return {"value": shown(program.run(VALUES, Budget(10_000)))}
    except RunError as error:
        return {"error": str(error)}


@pytest.mark.parametrize(("text", "want"), RECORDED, ids=lambda one: one if isinstance(one, str) else "")
def test_expressions_answer_as_on_the_real_one(text: str, want: dict[str, str]) -> None:
    assert (answer(text) == want) is (text not in DIFFERENT)
