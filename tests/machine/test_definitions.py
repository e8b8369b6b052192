"""Custom resources in a whole cluster: controllers see them, a restart keeps them, a jump makes them older, rules have a budget."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from test_determinism import TOKEN, Signer

from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Row
from kit.embedded.core.turns import Answer, Request

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
SETTINGS = Settings(seed=1, admin_token=TOKEN)


class World:
    """A cluster and its journal."""

    def __init__(self, journal: dict[tuple[str, str], bytes | None] | None = None) -> None:
        rows = None if journal is None else [Row(table, key, value) for (table, key), value in journal.items()]
        self.cluster = Cluster(SETTINGS, Signer(), rows)
        self.journal = dict(journal or {})
        self.run(0)

    def run(self, ms: int) -> None:
        self._keep(self.cluster.turn([], self.cluster.now + ms, 1_000_000))

    def ask(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": kind}
        raw = b"" if body is None else json.dumps(body).encode()
        batch = self.cluster.turn([Request(1, method, path, (), headers, raw)], self.cluster.now, 1_000_000)
        self._keep(batch)
        answer = next(output for output in batch.outputs if isinstance(output, Answer))
        text = answer.response.body
        return answer.response.status, json.loads(text) if text.startswith(b"{") else {}

    def _keep(self, batch: Any) -> None:
        self.journal |= {(row.table, row.key): row.value for row in batch.rows}


def definition(spec: dict[str, Any] | None = None) -> dict[str, Any]:
    inner = spec or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": inner}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def widget(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, **more}


def test_dependents_go_with_their_owner_and_owners_are_custom_too() -> None:
    world = World()
    assert world.ask("POST", CRDS, definition())[0] == 201
    world.run(100)
    owner = world.ask("POST", WIDGETS, widget("owner"))[1]["metadata"]["uid"]
    reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": owner}
    owned = widget("owned")
    owned["metadata"]["ownerReferences"] = [reference]
    world.ask("POST", WIDGETS, owned)
    maps = "/api/v1/namespaces/default/configmaps"
    world.ask("POST", maps, {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    world.run(1000)
    assert world.ask("GET", f"{maps}/owned")[0] == 200
    world.ask("DELETE", f"{WIDGETS}/owner")
    world.run(5000)
    assert [world.ask("GET", f"{path}/owned")[0] for path in (maps, WIDGETS)] == [404, 404]


def test_a_namespace_takes_its_custom_objects_with_it() -> None:
    world = World()
    world.ask("POST", CRDS, definition())
    world.run(100)
    world.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    path = WIDGETS.replace("default", "shop")
    assert world.ask("POST", path, widget("w"))[0] == 201
    world.ask("DELETE", "/api/v1/namespaces/shop")
    world.run(20_000)
    assert world.ask("GET", "/api/v1/namespaces/shop")[0] == 404
    assert world.ask("GET", "/apis/example.com/v1/widgets")[1]["items"] == []


def test_a_restart_serves_what_was_served() -> None:
    world = World()
    world.ask("POST", CRDS, definition())
    world.run(100)
    made = world.ask("POST", WIDGETS, widget("w", spec={"a": [1, {"b": None}]}))[1]
    again = World(world.journal)
    assert again.ask("GET", f"{WIDGETS}/w") == (200, made)
    assert again.ask("DELETE", f"{CRDS}/widgets.example.com")[0] == 200
    again.run(1000)
    assert again.ask("GET", CRDS)[1]["items"] == []
    assert again.ask("GET", f"{WIDGETS}/w")[0] == 404


def test_a_jump_makes_custom_objects_older() -> None:
    world = World()
    world.ask("POST", CRDS, definition())
    world.run(100)
    before = world.ask("POST", WIDGETS, widget("w"))[1]["metadata"]["creationTimestamp"]
    world.cluster.jump(60_000)
    after = world.ask("GET", f"{WIDGETS}/w")[1]["metadata"]["creationTimestamp"]
    assert after < before


def test_a_rule_without_end_is_stopped() -> None:
    """Nested loops over long lists: refused after the budget, not after an hour."""
    nested = "self.l.all(a, self.l.all(b, a + b >= 0))"
    spec = {
        "type": "object",
        "properties": {"l": {"type": "array", "items": {"type": "integer"}, "maxItems": 1000}},
        "x-kubernetes-validations": [{"rule": nested}, {"rule": "size(self.l) > 0"}],
    }
    world = World()
    assert world.ask("POST", CRDS, definition(spec))[0] == 201
    world.run(100)
    code, body = world.ask("POST", WIDGETS, widget("w", spec={"l": list(range(1000))}))
    assert code == 422
    assert "no further validation rules will be run due to call cost exceeds limit for rule" in body["message"]
    assert world.ask("POST", WIDGETS, widget("x", spec={"l": [1]}))[0] == 201


def test_the_engine_of_rules_is_not_imported_before_there_is_a_rule() -> None:
    script = (
        "import sys; sys.path.insert(0, 'tests/machine'); import kit.embedded.cluster, test_definitions as t; w = t.World();"
        "w.ask('POST', t.CRDS, t.definition()); w.run(100); w.ask('POST', t.WIDGETS, t.widget('w'));"
        "print([name for name in sys.modules if name.startswith('kit.kube.cel.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=".")
    assert done.stdout.strip() == "[]"
