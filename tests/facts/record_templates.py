"""Record what a real control plane calls Pod templates: `KUBECONFIG=... python tests/facts/record_templates.py`.

Makes a Deployment, a DaemonSet and a StatefulSet of every template of odd_templates.yaml and of every Pod that the recorded cases let
in, and writes tests/facts/templates.jsonl.xz: a line for each template that was taken, with the hashes in the names of the Deployment's
ReplicaSet and of the other two's ControllerRevisions. What is refused is printed. The controller manager runs in UTC (TZ=), as in its
image.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from compile_data import FACTS

FILE = FACTS / "templates.jsonl.xz"
KINDS = ("Deployment", "DaemonSet", "StatefulSet")
PLAIN = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
MADE = "replicasets,controllerrevisions"
CODES = (200, 201)

Obj = dict[str, Any]


def templates() -> Iterator[tuple[str, Obj]]:
    """Yield names and templates."""
    for name, odd in yaml.safe_load((FACTS / "odd_templates.yaml").read_text("utf-8")).items():
        yield name, {part: {**PLAIN[part], **odd.get(part, {})} for part in PLAIN}
    for source in ("defaulting", "validation"):
        for line in lzma.decompress((FACTS / f"{source}.jsonl.xz").read_bytes()).splitlines():
            case = json.loads(line)
            body = (case.get("request") or {}).get("body")
            if isinstance(body, dict) and body.get("kind") == "Pod" and case["expect"].get("code") in CODES:
                yield case["id"], {"metadata": PLAIN["metadata"], "spec": {**body["spec"], "restartPolicy": "Always"}}


def owner(kind: str, name: str, template: Obj) -> Obj:
    """Return an object that runs no Pod of a template."""
    spec: Obj = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    spec |= {"StatefulSet": {"serviceName": "s", "replicas": 0}, "Deployment": {"replicas": 0}}.get(kind, {})
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def create(obj: Obj) -> str:
    """Create an object; return why not (warnings don't count)."""
    asked = ("kubectl", "create", "-f", "-", "--validate=false")
    done = subprocess.run(asked, input=json.dumps(obj), capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def hashes() -> dict[tuple[str, str], str]:
    """Return the hash of each owner's only ReplicaSet or revision."""
    listed = json.loads(subprocess.run(("kubectl", "get", MADE, "-o", "json"), check=True, capture_output=True).stdout)
    out = {}
    for one in listed["items"]:
        (of,) = one["metadata"]["ownerReferences"]
        out[of["kind"], of["name"]] = one["metadata"]["name"][len(of["name"]) + 1 :]
    return out


def main() -> None:
    """Write the recording."""
    taken: dict[str, tuple[str, Obj]] = {}
    for number, (id, template) in enumerate(templates()):
        refused = [error for kind in KINDS if (error := create(owner(kind, f"t{number}", template)))]
        if refused:
            print(f"{id}: {refused[0][:300]}")
        else:
            taken[f"t{number}"] = id, template
    time.sleep(10)
    found = hashes()
    lines = [
        {"id": id, "template": template, "hashes": {kind: found[kind, name] for kind in KINDS}}
        for name, (id, template) in taken.items()
    ]
    assert all(line["hashes"]["Deployment"] == line["hashes"]["DaemonSet"] for line in lines)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    Path(FILE).write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
