"""Compile the recorded facts into the tables the product carries: `python tests/facts/compile_data.py [--check]`.

Reads tests/facts/*.xz, writes kit/data/{kinds,schema,protobuf,rbac,standing,descriptions,gotypes,gofields}.json; with `--check` writes nothing and
fails when a table is not what the facts give.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent
DATA = FACTS.parents[1] / "kit" / "data"
COMMAND = "python tests/facts/compile_data.py"


def read(name: str) -> Any:
    """Return one facts document."""
    return json.loads(lzma.open(FACTS / f"{name}.xz", "rt", encoding="utf-8").read())


def kinds() -> dict[str, Any]:
    """Return groups in discovery order and one row a resource, with the names the legacy discovery adds."""
    discovery = read("discovery.json")
    legacy = discovery["legacy"]
    items = [item for path in ("/api", "/apis") for item in discovery["aggregated"][path]["items"]]
    groups: list[list[Any]] = []
    resources: list[list[Any]] = []
    for item in items:
        group = item["metadata"].get("name", "")
        groups.append([group, [version["version"] for version in item["versions"]]])
        for version in item["versions"]:
            path = f"/apis/{group}/{version['version']}" if group else f"/api/{version['version']}"
            hashes = {r["name"]: r.get("storageVersionHash", "") for r in legacy[path]["resources"]}
            served = version["resources"]
            resources += [_row(group, version["version"], item, hashes[item["resource"]]) for item in served]
    return {"groups": groups, "resources": resources}


def _row(group: str, version: str, resource: dict[str, Any], storage_hash: str) -> list[Any]:
    subresources = []
    for sub in resource.get("subresources", []):
        kind = sub["responseKind"]
        subresources.append([sub["subresource"], kind["group"], kind["version"], kind["kind"], sub["verbs"]])
    return [
        group,
        version,
        resource["responseKind"]["kind"],
        resource["resource"],
        resource["singularResource"],
        resource["scope"] == "Namespaced",
        resource.get("shortNames", []),
        resource.get("categories", []),
        resource["verbs"],
        subresources,
        storage_hash,
    ]


def schema() -> dict[str, Any]:
    """Return the definitions each as its own JSON text (parsed when asked for) and where they belong."""
    facts = read("schema.json")
    names = sorted(facts["definitions"])
    number = {name: index for index, name in enumerate(names)}
    return {
        "kubernetes": facts["kubernetes"],
        "kinds": facts["kinds"],
        "groupVersions": {path: [number[n] for n in members] for path, members in facts["groupVersions"].items()},
        "definitions": {name: compact(facts["definitions"][name]) for name in names},
    }


FIELD = ("number", "json", "type", "repeated", "map", "pointer", "inline", "omitempty", "omitzero")


def protobuf() -> dict[str, Any]:
    """Return messages as rows [number, json, type, flags]; flags are the first letters of what is true."""
    facts, more = read("protobuf.json"), read("protobuf-more.json")  # `more`: kinds the first recording passed over
    messages = {}
    for name, message in sorted({**facts["messages"], **more["messages"]}.items()):
        fields = [_field(field) for field in message.get("fields", [])]
        messages[name] = [message.get("special", ""), fields]
    return {"kinds": {**facts["kinds"], **more["kinds"]}, "messages": messages}


FLAGS = {"repeated": "r", "map": "m", "pointer": "p", "inline": "i", "omitempty": "o", "omitzero": "z"}


def _field(field: dict[str, Any]) -> list[Any]:
    flags = "".join(sorted({letter for key, letter in FLAGS.items() if field.get(key)}))
    return [field["number"], field.get("json") or "", field["type"], flags]


def rbac() -> dict[str, Any]:
    """Return the roles and bindings of the beginning as rows: namespace, name, labels besides the usual, and what they say.

    A rule is [verbs, groups, resources, names, URLs], what is empty at its end left out; a subject [kind, name, namespace].
    """
    out: dict[str, list[Any]] = {kind: [] for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")}
    for obj in read("rbac.json")["items"]:
        meta = obj["metadata"]
        labels = {key: value for key, value in meta["labels"].items() if key != "kubernetes.io/bootstrapping"}
        row = [meta.get("namespace", ""), meta["name"], labels]
        if "roleRef" in obj:
            to = obj["roleRef"]
            row += [[to["kind"], to["name"]], [_subject(one) for one in obj.get("subjects") or ()]]
        else:
            row += [[_rule(rule) for rule in obj["rules"] or ()], obj.get("aggregationRule")]
        out[obj["kind"]].append(row)
    return out


RULE = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


def _rule(rule: dict[str, Any]) -> list[list[str]]:
    parts = [rule.get(key, []) for key in RULE]
    while not parts[-1]:
        parts.pop()
    return parts


def _subject(subject: dict[str, Any]) -> list[str]:
    return [subject["kind"], subject["name"], subject.get("namespace", "")]


def standing() -> dict[str, Any]:
    """Return what a control plane makes for itself besides roles: names of accounts, and the specs of flow control."""
    items = read("fresh.json")["items"]

    def of(kind: str) -> list[dict[str, Any]]:
        return sorted((obj for obj in items if obj["kind"] == kind), key=lambda obj: str(obj["metadata"]["name"]))

    accounts = [obj["metadata"] for obj in of("ServiceAccount")]
    flow = ("PriorityLevelConfiguration", "FlowSchema")
    return {
        "ServiceAccount": [meta["name"] for meta in accounts if meta["name"] != "default"],
        **{kind: {obj["metadata"]["name"]: obj["spec"] for obj in of(kind)} for kind in flow},
    }


def descriptions() -> dict[str, Any]:
    """Return what is said of each definition (under "") and its fields, the definitions there are schemas of."""
    known, facts = read("schema.json")["definitions"], read("descriptions.json")
    said = {name: texts for name, texts in facts["definitions"].items() if name in known}
    return {"kubernetes": facts["kubernetes"], "definitions": said}


def gotypes() -> dict[str, Any]:
    """Return Go's structs as rows [name, JSON name ("" where inline), type], and its other named types with what they are."""
    return dict(read("gotypes.json"))


def gofields() -> dict[str, Any]:
    """Return, by definition and field, the Go type that has a name of its own and the embedded structs it stands in."""
    known, told = read("schema.json")["definitions"], read("gofields.json")
    return {name: rows for name, rows in told.items() if name in known}


def compact(value: Any) -> str:
    """Return JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


TABLES = {
    "kinds": kinds,
    "schema": schema,
    "protobuf": protobuf,
    "rbac": rbac,
    "standing": standing,
    "descriptions": descriptions,
    "gotypes": gotypes,
    "gofields": gofields,
}


def render(name: str) -> str:
    """Return the text of a table: one line for each top-level entry, so that a change shows where it is."""
    table = TABLES[name]()
    lines = [f'"generated by": {compact(COMMAND)}']
    for key, value in table.items():
        lines.append(f"{compact(key)}: {_lines(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(value: Any) -> str:
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"{compact(k)}:{compact(v)}" for k, v in value.items()) + "\n}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(compact(v) for v in value) + "\n]"
    return compact(value)


def main(arguments: list[str]) -> int:
    """Write the tables, or with `--check` say which are stale."""
    stale = [
        n for n in TABLES if not (DATA / f"{n}.json").exists() or (DATA / f"{n}.json").read_text("utf-8") != render(n)
    ]
    if "--check" in arguments:
        for name in stale:
            print(f"kit/data/{name}.json is stale: run {COMMAND}", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (DATA / f"{name}.json").write_text(render(name), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
