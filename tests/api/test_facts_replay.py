"""Plays the recorded HTTP cases against the API in process and compares what it answers with what a real server said.

`tests/parity/ledger.toml` lists the known misses by id, each with its reason: a case that misses without an entry fails, and
so does an entry whose cases all match. Run with `-s` to see matched/total per file. The same player on a real server:
tests/parity/test_facts_real.py.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from replaying import Case, bag, bare, differences, outcome

from kit.embedded.core.turns import Identity

FILES = (
    "access.jsonl",
    "defaulting.jsonl",
    "immutability.jsonl",
    "mutations.jsonl",
    "patches.jsonl",
    "tables.jsonl",
    "validation.jsonl",
)
RECORDER = Identity("kubernetes-admin", ("system:masters",), "admin")


def recorded(world: Any) -> Any:
    """Return a world whose administrator is the one of the recordings, who has a uid."""
    world.certificate = RECORDER
    return world


@pytest.mark.parametrize("name", FILES)
def test_cases_match_or_are_listed(
    name: str, facts: Callable[[str], Any], world_of: Callable[[], Any], staffed: Callable[[], Any], ledger: Any
) -> None:
    """Every recorded case matches, or its miss is known and explained; access.jsonl was recorded where controllers ran."""
    makers = {"access.jsonl": staffed}
    cases = facts(name)
    missed = {
        case["id"]: found[0] for case in cases if (found := outcome(recorded(makers.get(name, world_of)()), case))
    }
    ledger.hold(name, [case["id"] for case in cases], missed)


def test_discovery_documents_equal_the_recorded(facts: Callable[[str], Any], world_of: Callable[[], Any]) -> None:
    """Aggregated and legacy discovery, and /version, are the real ones but for build data and load state."""
    recorded, world = facts("discovery.json"), world_of()
    aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    asked = [(path, want, {"Accept": aggregated}) for path, want in recorded["aggregated"].items()]
    asked += [(path, want, {}) for path, want in recorded["legacy"].items()]
    wrong = {
        path: found
        for path, want, headers in asked
        if (found := list(differences(bare(want), bare(world.call("GET", path, headers=headers).body))))
    }
    print(f"\ndiscovery.json: {len(asked) - len(wrong)}/{len(asked)} matched")
    assert not wrong
    build = {"gitCommit", "buildDate", "goVersion", "gitTreeState", "compiler", "platform"}
    said = world.call("GET", "/version").body
    assert {k: v for k, v in said.items() if k not in build} == {
        k: v for k, v in recorded["version"].items() if k not in build
    }
    assert len(asked) == 48


def test_protobuf_and_json_are_answered_alike(facts: Callable[[str], Any], world_of: Callable[[], Any]) -> None:
    """Each recorded sample of a kind, most of them invalid on purpose, gets the same answer in either form, to the order of keys."""
    world, asked, wrong = world_of(), 0, {}
    for sample in facts("protobuf-samples.jsonl"):
        found = world.api.context.registry.by_kind(sample["apiVersion"], sample["kind"])
        if found is None:
            continue
        asked += 1
        place = found.collection((sample["json"].get("metadata") or {}).get("namespace") or "default")
        raw = base64.b64decode(sample["protobuf"])
        protobuf = {"Content-Type": "application/vnd.kubernetes.protobuf"}
        answers = [
            world.call("POST", place, raw=raw, headers=protobuf, dryRun="All"),
            world.call("POST", place, sample["json"], dryRun="All"),
        ]
        first, second = (
            Case(world, {"request": sample["json"]}).walk(json.loads(one.response.body)) for one in answers
        )
        if answers[0].code != answers[1].code or bag(first) != bag(second):
            wrong[sample["id"]] = list(differences(bag(first), bag(second)))[:2]
    assert wrong == {}
    assert asked == 81
