"""Plays a recorded controller scenario on a stage, and makes what is left comparable with what a real cluster left."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stage import NODES, Stage

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
COLLECTED = (
    "apis/apps/v1 deployments", "apis/apps/v1 replicasets", "apis/apps/v1 statefulsets", "apis/apps/v1 daemonsets",
    "apis/apps/v1 controllerrevisions", "apis/batch/v1 jobs", "apis/batch/v1 cronjobs", "api/v1 pods", "api/v1 replicationcontrollers",
    "api/v1 persistentvolumeclaims", "api/v1 services", "api/v1 endpoints", "apis/discovery.k8s.io/v1 endpointslices",
    "apis/policy/v1 poddisruptionbudgets", "api/v1 resourcequotas", "apis/autoscaling/v2 horizontalpodautoscalers", "api/v1 configmaps",
    "api/v1 secrets", "api/v1 serviceaccounts",
)  # fmt: skip
META = ("name", "labels", "annotations", "ownerReferences", "finalizers", "generation", "generateName")
POD_SPEC = (
    "nodeName", "tolerations", "affinity", "hostname", "subdomain", "priority", "priorityClassName", "schedulingGates",
)  # fmt: skip
SCALED = ("ReplicaSet", "Deployment", "StatefulSet", "ReplicationController")
TEMPLATED = ("Job", "DaemonSet", "CronJob")
PLAIN = ("EndpointSlice", "Endpoints", "Secret", "ConfigMap", "ServiceAccount", "ControllerRevision")
PLAIN_FIELDS = ("addressType", "endpoints", "ports", "subsets", "type", "revision", "secrets")
PARTS = ("events", "objects", "responses")
HASHED = ("ReplicaSet", "ControllerRevision")
HASHES = ("pod-template-hash", "controller-revision-hash", "controller.kubernetes.io/hash")
TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"

Obj = dict[str, Any]


def play(case: Obj) -> Obj:
    """Run a case's steps in a namespace of its own; what is left, as it is recorded."""
    space = "facts-" + hashlib.sha256(case["id"].encode()).hexdigest()[:8]
    stage = Stage(nodes=case.get("nodes", NODES))
    metadata = {"name": space, **({"labels": case["namespaceLabels"]} if case.get("namespaceLabels") else {})}
    stage.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    stage.settle()
    player = Player(stage, case, space)
    for number, step in enumerate(case["steps"]):
        player.run(number, step)
    stage.settle(int(case.get("settle", 20) * 1000), int(case.get("quiet", 1.6) * 1000))
    return player.left()


class Player:
    """One case being played."""

    def __init__(self, stage: Stage, case: Obj, space: str) -> None:
        self.stage, self.case, self.space = stage, case, space
        self.given = json.dumps(case["steps"]) + space
        self.values: dict[str, str] = {}
        self.began = stage.clock.text()
        self.responses: list[Obj] = []

    def run(self, number: int, step: Obj) -> None:
        """Carry out one step."""
        step = json.loads(json.dumps(step).replace("{ns}", self.space))
        if "settle" in step:
            return self.stage.settle(step["settle"] * 1000)
        if "sleep" in step:
            return self.stage.pass_time(int(step["sleep"] * 1000))
        text = json.dumps(step)
        for word, value in self.values.items():
            text = text.replace(word, value)
        for label, index in set(re.findall(r"<pod:([^:>]+):(\d+)>", text)):
            listed = self.stage.ask("GET", f"/api/v1/namespaces/{self.space}/pods?labelSelector={label}")["items"]
            text = text.replace(f"<pod:{label}:{index}>", sorted(one["metadata"]["name"] for one in listed)[int(index)])
        code, body = self._send(json.loads(text))
        self._note(number, body)
        if step.get("record"):
            self.responses.append({"step": number, "code": code, "body": body})
        elif code >= 400 and not step.get("mayFail"):
            raise AssertionError(f"step {number}: {code} {body}")
        return None

    def _send(self, step: Obj) -> tuple[int, Any]:
        if "create" in step:
            obj = step["create"]
            return self.stage.call(
                "POST", self.stage.collection(obj, self.space), obj, query=[("fieldManager", "setup")]
            )[:2]
        if "delete" in step:
            obj = step["delete"]
            path = f"{self.stage.collection(obj, self.space)}/{obj['metadata']['name']}"
            return self.stage.call("DELETE", path, {"gracePeriodSeconds": 0})[:2]
        query = list((step.get("query") or {}).items())
        return self.stage.call(step["method"], step["path"], step.get("body"), step.get("headers"), query)[:2]

    def _note(self, number: int, body: Any) -> None:
        metadata = body.get("metadata") or {} if isinstance(body, dict) else {}
        for word, field in (("uid", "uid"), ("rv", "resourceVersion"), ("name", "name")):
            if metadata.get(field):
                self.values[f"<{word}:{number}>"] = metadata[field]

    def left(self) -> Obj:
        """Return events, objects and recorded answers, normalised."""
        objects = self._objects()
        events = self.stage.ask("GET", f"/api/v1/namespaces/{self.space}/events")["items"]
        for path in self.case.get("alsoEvents", []):
            events += self.stage.ask("GET", path.replace("{ns}", self.space))["items"]
        events = [one for one in events if (one.get("lastTimestamp") or one.get("eventTime") or "") >= self.began]
        events.sort(
            key=lambda e: (e.get("firstTimestamp") or e.get("eventTime") or "", int(e["metadata"]["resourceVersion"]))
        )
        scrub = Scrub(objects, events, self.given)
        counted = Counter(json.dumps(scrub.event(event), sort_keys=True) for event in events)
        kept = [one for one in objects if self.case.get("keepDefaults") or not _default(one)]
        shown = [scrub.walk(reduced(one)) for one in kept]
        for one in shown:
            if isinstance(one.get("endpoints"), list):
                one["endpoints"].sort(key=lambda e: json.dumps(e, sort_keys=True))
        return {
            "events": [{**json.loads(text), "times": count} for text, count in counted.items()],
            "objects": shown,
            "responses": [{**one, "body": scrub.walk(one["body"])} for one in self.responses],
            "hashes": _hashed(objects),
        }

    def _objects(self) -> list[Obj]:
        objects = []
        for where in COLLECTED:
            base, plural = where.split()
            listed = self.stage.ask("GET", f"/{base}/namespaces/{self.space}/{plural}")
            objects += [
                {**one, "apiVersion": listed["apiVersion"], "kind": listed["kind"][:-4]} for one in listed["items"]
            ]
        for path in self.case.get("alsoCollect", []):
            code, body, _ = self.stage.call("GET", path.replace("{ns}", self.space))
            objects += [body] if code == 200 else []
        return objects


def _hashed(objects: Sequence[Obj]) -> dict[str, str]:
    """Return the hash in the name of each ReplicaSet of a Deployment and of each revision, as `raw` has it."""
    labels = {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in objects if one["kind"] in HASHED}
    hashes = {name: next((found[key] for key in HASHES if key in found), None) for name, found in labels.items()}
    return {name: value for name, value in hashes.items() if value}


def _default(obj: Obj) -> bool:
    return (obj["kind"], obj["metadata"]["name"]) in {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


class Scrub:
    """Random parts of names, hashes, uids and times become placeholders, the same everywhere in one scenario."""

    def __init__(self, objects: Sequence[Obj], events: Sequence[Obj], given: str) -> None:
        self.given = given
        self.generate = [re.escape(base[:58]) for base in re.findall(r'"generateName": "([^"]+)"', given)]
        self.names = [*_told(events), *_generated(objects)]
        self.hashes = _hashes(objects, events)
        self.uids: dict[str, str] = {}
        for one in objects:
            self.uids[one["metadata"]["uid"]] = f"<uid:{one['kind']}/{self.text(one['metadata']['name'])}>"

    def text(self, text: str) -> str:
        """Return a text without what differs from run to run."""
        for old, new in (*self.names, *self.hashes.items(), *self.uids.items()):
            text = text.replace(old, new)
        text = re.sub(rf"-(<hash:\d+>|<uid:[^>]*>)-[{SUFFIX}]{{5}}\b", r"-\1-<rand5>", text)
        named = rf"\b(pod|Pod|pods|job|jobs):? \"?(facts-ns/)?([a-z0-9.-]+?)-[{SUFFIX}]{{5}}\b(?!-)"
        text = re.sub(named, lambda found: found[0][:-5] + "<rand5>", text)
        text = re.sub(r"-2[89]\d{6}\b", "-<minute>", text)
        text = re.sub(rf"(-<minute>)-[{SUFFIX}]{{5}}\b", r"\1-<rand5>", text)
        text = re.sub(rf"\b(kube-api-access-)[{SUFFIX}]{{5}}\b", r"\1<rand5>", text)
        text = re.sub(r"( to )facts-node-\d", r"\1<node>", text)
        text = re.sub(r"\b10\.244\.\d+\.\d+\b", "<podIP>", text)
        text = re.sub(r"\b127\.0\.0\.1:\d+", "<server>", text)
        text = UUID.sub(lambda m: m[0] if m[0] in self.given else "<uuid>", text)
        text = TIME.sub(
            lambda m: m[0] if m[0] in self.given else "<microtime>" if len(m[1] or "") == 7 else "<time>", text
        )
        text = re.sub(r"\b10\.96\.\d+\.\d+\b", lambda m: m[0] if m[0] in self.given else "<clusterIP>", text)
        for base in self.generate:
            text = re.sub(rf"\b({base})[{SUFFIX}]{{5}}\b", r"\1<rand5>", text)
        return text

    def walk(self, value: Any, key: str = "") -> Any:
        """Return a value without what differs from run to run."""
        if isinstance(value, str):
            if key in ("nodeName", "volume.kubernetes.io/selected-node"):
                return "<node>" if value.startswith("facts-node-") else value
            return self.text(value) if key != "resourceVersion" else "<rv>"
        if isinstance(value, list):
            return [self.walk(one, key) for one in value]
        if not isinstance(value, dict):
            return value
        out = {self.text(k): self.walk(v, k) for k, v in value.items()}
        if isinstance(out.get("managedFields"), list):
            out["managedFields"].sort(
                key=lambda one: [str(one.get(k, "")) for k in ("operation", "manager", "subresource")]
            )
        return out

    def event(self, event: Obj) -> Obj:
        """Return an event as it is recorded."""
        about = event.get("involvedObject") or {}
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent")
        shown = {
            "type": event.get("type"),
            "reason": event.get("reason"),
            "message": event.get("message"),
            "source": source,
        }
        shown["object"] = f"{about.get('kind')}/{about.get('name')}"
        if about.get("fieldPath"):
            shown["fieldPath"] = about["fieldPath"]
        if event.get("action"):
            shown["action"] = event["action"]
        return {key: self.text(value) if isinstance(value, str) else value for key, value in shown.items()}


def _told(events: Sequence[Obj]) -> Iterator[tuple[str, str]]:
    """Yield the names of Pods that are no more, known by what was said of them."""
    for event in events:
        about = event["involvedObject"]
        found = re.search(r"(?:Created|Deleted) pod: (\S+)", event.get("message") or "")
        made = about.get("kind") in ("ReplicaSet", "Job", "DaemonSet", "ReplicationController")
        if found and made and found[1].startswith(about["name"] + "-"):
            yield found[1], about["name"] + "-<rand5>"


def _generated(objects: Sequence[Obj]) -> Iterator[tuple[str, str]]:
    for one in objects:
        base, name = one["metadata"].get("generateName"), one["metadata"]["name"]
        if base and name.startswith(base):
            yield name, base + "<rand5>"


def _hashes(objects: Sequence[Obj], events: Sequence[Obj]) -> dict[str, str]:
    """Return template hashes by the order of their ReplicaSets, then those only events tell of."""

    def order(rs: Obj) -> tuple[Any, ...]:
        notes = rs["metadata"].get("annotations") or {}
        number = int(notes.get("deployment.kubernetes.io/revision", 0))
        return rs["metadata"]["creationTimestamp"], number, rs["metadata"]["name"]

    sets = [one for one in objects if one["kind"] == "ReplicaSet"]
    labelled = [one for one in sets if "pod-template-hash" in (one["metadata"].get("labels") or {})]
    seen = [one["metadata"]["labels"]["pod-template-hash"] for one in sorted(labelled, key=order)]
    for event in events:
        seen += re.findall(rf"replica set \S+-([{SUFFIX}]{{6,10}})\b", event.get("message") or "")
    found = {text: f"<hash:{number}>" for number, text in enumerate(dict.fromkeys(seen), 1)}
    revisions = sorted(
        (one for one in objects if one["kind"] == "ControllerRevision"),
        key=lambda one: (one["revision"], one["metadata"]["name"]),
    )
    for number, one in enumerate(revisions, 1):
        found.setdefault(one["metadata"]["name"].rsplit("-", 1)[-1], f"<revhash:{number}>")
    return found


def reduced(obj: Obj) -> Obj:
    """Return the part of an object that is compared."""
    meta, kind = obj["metadata"], obj["kind"]
    kept: Obj = {key: meta[key] for key in META if meta.get(key)}
    if meta.get("deletionTimestamp"):
        kept |= {key: meta[key] for key in ("deletionTimestamp", "deletionGracePeriodSeconds") if key in meta}
    notes = {key: value for key, value in kept.pop("annotations", {}).items() if key != TRIGGER}
    kept |= {"annotations": notes} if notes else {}
    out: Obj = {"apiVersion": obj["apiVersion"], "kind": kind, "metadata": kept}
    if kind == "Pod":
        return out | _pod(obj)
    if kind in SCALED:
        spec = {key: obj["spec"][key] for key in ("replicas", "selector") if key in obj["spec"]}
        return out | {"spec": spec, "status": obj.get("status")}
    if kind in PLAIN:
        out |= {key: obj[key] for key in PLAIN_FIELDS if key in obj}
        return out | ({"dataKeys": sorted(obj["data"])} if "data" in obj and kind in ("Secret", "ConfigMap") else {})
    if kind == "Service":
        return out | {"spec": {key: obj["spec"][key] for key in ("type", "selector") if key in obj["spec"]}}
    out |= {key: obj[key] for key in ("spec", "status") if key in obj}
    if kind in TEMPLATED:
        out["spec"] = {key: value for key, value in out["spec"].items() if key not in ("template", "jobTemplate")}
    return out


def _pod(pod: Obj) -> Obj:
    spec, status = pod["spec"], pod["status"]
    shown: Obj = {key: spec[key] for key in POD_SPEC if spec.get(key)}
    shown["images"] = [one["image"] for one in spec["containers"]]
    shown["env"] = [entry for one in spec["containers"] for entry in one.get("env", [])]
    fields = ("type", "status", "reason", "message")
    told = [{key: one[key] for key in fields if one.get(key)} for one in status.get("conditions", [])]
    state: Obj = {"phase": status.get("phase"), "conditions": sorted(told, key=lambda one: one["type"])}
    if status.get("nominatedNodeName"):
        state["nominatedNodeName"] = "<node>"
    return {"spec": shown, "status": state}


def comparable(case: Obj, found: Mapping[str, Any]) -> Obj:
    """Return events as a set, objects and answers as they are, without what the case calls unstable or volatile."""
    out: Obj = json.loads(json.dumps({part: found[part] for part in PARTS}))
    for one in out["objects"]:  # which node's Pod a DaemonSet replaces first is chance
        if one["kind"] == "Pod" and "affinity" in one["spec"]:
            one["spec"]["affinity"] = json.loads(
                re.sub(r"facts-node-\d", "<node>", json.dumps(one["spec"]["affinity"]))
            )
    out["objects"] = sorted(
        out["objects"], key=lambda o: (o["kind"], o["metadata"].get("name", ""), json.dumps(o, sort_keys=True))
    )
    skip = set(case.get("unstable", []))
    told = ({key: value for key, value in one.items() if key != "times"} for one in out["events"])
    texts = sorted({json.dumps(one, sort_keys=True) for one in told if one["reason"] not in skip})
    out["events"] = [json.loads(text) for text in texts]
    for part in PARTS:
        if part in skip:
            out.pop(part)
    for path in case.get("volatile", []):
        forget(out, re.findall(r'\[[^\]]*\]|"[^"]*"|[^."\[\]]+', path))
    return out


def forget(value: Any, parts: Sequence[str]) -> None:
    """Take out what a dotted path names; `[k=v]` selects list items."""
    head, rest = parts[0].strip('"'), parts[1:]
    if head.startswith("["):
        key, wanted = head[1:-1].split("=")
        for one in [one for one in value if str(one.get(key)) == wanted] if isinstance(value, list) else ():
            if rest:
                forget(one, rest)
    elif isinstance(value, dict) and head in value:
        if rest:
            forget(value[head], rest)
        else:
            del value[head]


def differences(want: Any, got: Any, at: str = "") -> Iterator[str]:
    """Yield where two values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in [*want, *(key for key in got if key not in want)]:
            if key not in got:
                yield f"{at}.{key}: missing, wanted {json.dumps(want[key])[:300]}"
            elif key not in want:
                yield f"{at}.{key}: not wanted, got {json.dumps(got[key])[:300]}"
            else:
                yield from differences(want[key], got[key], f"{at}.{key}")
    elif isinstance(want, list) and isinstance(got, list):
        if len(want) == len(got) and (at != ".objects" or _names(want) == _names(got)) and at != ".events":
            for index, (left, right) in enumerate(zip(want, got, strict=True)):
                yield from differences(left, right, f"{at}[{index}]")
        else:
            yield from (f"{at}: missing {json.dumps(one)[:300]}" for one in want if one not in got)
            yield from (f"{at}: not wanted {json.dumps(one)[:300]}" for one in got if one not in want)
    elif want != got or isinstance(want, bool) != isinstance(got, bool):
        yield f"{at}: wanted {json.dumps(want)[:300]}, got {json.dumps(got)[:300]}"


def _names(objects: Sequence[Obj]) -> list[tuple[str, str]]:
    return [(one["kind"], one["metadata"]["name"]) for one in objects]


def compare(case: Obj) -> list[str]:
    """Play a case; where what is left differs from what was recorded."""
    try:
        got = play(case)
    except AssertionError as error:
        return [f"(could not run) {error}"]
    want, found = comparable(case, case["expect"]), comparable(case, got)
    if "raw" in case:
        want["hashes"], found["hashes"] = case["raw"].get("hashes", {}), got["hashes"]
    return list(differences(want, found))
