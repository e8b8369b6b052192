"""The status of policies in a whole cluster, written again for each new spec."""

from __future__ import annotations

from typing import Any

from test_definitions import World

POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"


def policy(expression: str) -> dict[str, Any]:
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "variables": [{"name": "b", "expression": "object.spec.replicas"}],
            "validations": [{"expression": expression}],
        },
    }


def test_a_warning_comes_and_goes_with_the_spec() -> None:
    world = World()
    assert world.ask("POST", POLICIES, policy("variables.b == 'x'"))[0] == 201
    world.run(1000)
    found = world.ask("GET", f"{POLICIES}/p")[1]
    warning = (
        "apps/v1, Kind=Deployment: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, string)'\n"
        " | variables.b == 'x'\n | ............^\n"
    )
    told = [{"fieldRef": "spec.validations[0].expression", "warning": warning}]
    assert found["status"] == {"observedGeneration": 1, "typeChecking": {"expressionWarnings": told}}
    managed = next(one for one in found["metadata"]["managedFields"] if one.get("subresource") == "status")
    assert (managed["manager"], managed["operation"]) == ("validatingadmissionpolicy-status", "Apply")
    found["spec"]["validations"][0]["expression"] = "variables.b == 2"
    assert world.ask("PUT", f"{POLICIES}/p", found)[0] == 200
    world.run(1000)
    assert world.ask("GET", f"{POLICIES}/p")[1]["status"] == {"observedGeneration": 2}
