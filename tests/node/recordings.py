"""Plays a recorded kubelet case on a whole embedded cluster and compares events, states, outputs and what is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import sightings
from commandline import Commandline
from scenario import differences
from whole import SLICES, Obj, Whole
from wording import Words

CREATED_MS = 10  # what a creation took
END_MS = 1_200  # what the looking at the end takes
# What is the rig's, or differs from cluster to cluster.
LEFT_OUT = ("image", "imageID")
# Names made up come in any order, Go's maps too, and so do the answers for A and AAAA.
UNORDERED = r"kubectl get |nslookup| env$|-c wait"
# Cases whose program says something on both streams at once: which line comes first is chance.
MIXED = ("klet-signal-term", "klet-signal-usr1")
# Commands whose answer is the rig's own: its python image runs programs, and it has no route out of the cluster.
# Of an address of the Pod network that nobody has, one Pod was told at once that there is no route, the other heard nothing.
RIG = r"kubectl exec curl -- python3 |curl -sS -m 6 http://10\.244\.1\.250|http://web:81|10\.96\.200\.200|example\.com"
UNLIMITED = {"memory": "9007199254740988Ki"}  # what cgroup v1 says of a Pod without a limit


def compare(case: Obj) -> list[str]:
    """Play a case; how it differs from what was recorded."""
    try:
        return list(dict.fromkeys(Played(case).unlike()))
    except AssertionError as error:
        return [f"(could not run) {error}"]


class Played:
    """A case that was played."""

    def __init__(self, case: Obj) -> None:
        self.case = case
        self.whole = Whole("klet")
        self.words = Words("klet", keep_nodes=bool(case.get("keepNodes")))
        self.line = Commandline(self.whole)
        self.outputs: list[tuple[int, Any]] = []
        known = {one["step"]: one for one in case["expect"]["steps"]}
        self.last = 0  # when the last step began
        for number, step in enumerate(case["steps"]):
            self.last = self.whole.now - self.whole.began
            self._run(number, step, known.get(number, {}))
        self.whole.pass_time(END_MS)

    def _run(self, number: int, step: Obj, known: Obj) -> None:
        text = json.dumps(step).replace("{ns}", self.whole.space)
        for label, index in set(re.findall(r"<pod:([^:>]+):(\d+)>", text)):
            key, value = label.split("=")
            names = sorted(
                pod["metadata"]["name"]
                for pod in self.whole.pods()
                if (pod["metadata"].get("labels") or {}).get(key) == value
            )
            text = text.replace(f"<pod:{label}:{index}>", names[int(index)])
        step = json.loads(text)
        if "create" in step:
            where = self.whole.collection(step["create"], self.whole.space)
            code, body, _ = self.whole.call("POST", where, step["create"])
            self.outputs.append((number, {"code": code, **({"body": body} if code >= 400 else {})}))
            self.whole.pass_time(CREATED_MS)
        elif "sleep" in step:
            self.whole.pass_time(int(step["sleep"] * 1000))
        elif "wait" in step:
            wait = step["wait"]
            met = self.whole.until(lambda: _met(self.whole, wait), int(step["seconds"] * 1000))
            self.outputs.append((number, {"met": met}))
        else:
            out, err, code = self.line.run(
                step["command"], int(step["timeout"] * 1000) if step.get("timeout") else None
            )
            if out is not None and not re.search(RIG, step["command"]):
                self.outputs.append((number, {"stdout": out, "stderr": err, "code": code}))

    # --- comparing ---

    def unlike(self) -> Iterator[str]:
        """Yield how what happened differs from what was recorded."""
        expect = self.case["expect"]
        until = max((one["ms"] + one.get("took", 0) for one in (*expect["final"], *expect["steps"])), default=0)
        here = sightings.here(self.whole, self.words)
        for _, record in self.whole.store.items(SLICES, self.whole.space):
            self.words.learn(record.obj)
        raw = json.dumps(self.case["raw"])
        yield from (f"a hash that was not recorded: {hash}" for hash in sorted(self.words.hashes) if hash not in raw)
        yield from self._outputs(expect["steps"])
        kept = [one for one in expect["events"] if one["ms"][0] <= until]
        found = sightings.events_here(self.whole, self.words)
        late = sightings.events_here(self.whole, self.words, self.last)
        yield from sightings.events_unlike([self.words.walk(one) for one in kept], found, late)
        yield from self._pods(here, until)
        yield from sightings.slices_unlike(expect.get("slices") or (), self.whole, self.words, until)
        yield from self._left(expect["objects"])

    def _outputs(self, steps: list[Obj]) -> Iterator[str]:
        known = {one["step"]: one for one in steps}
        for number, got in self.outputs:
            for key, value in got.items():
                want = known.get(number, {}).get(key)
                if key in ("stdout", "stderr"):
                    command = self.case["steps"][number]["command"]
                    if self.case["id"] in MIXED and key == "stdout":
                        command += " env"
                    pair = [_lines(command, self.words.printed(str(text))) for text in (want or "", value)]
                    if pair[0] != pair[1]:
                        yield f"{self.case['steps'][number]['command'][:80]}: {key}: wanted {pair[0]!r}, got {pair[1]!r}"
                elif (key == "code" and want != value) or (key == "met" and want != value):
                    yield f"step {number} {json.dumps(self.case['steps'][number])[:80]}: {key}: wanted {want}, got {value}"

    def _pods(self, here: dict[str, sightings.Series], until: int) -> Iterator[str]:
        left = {name: series for name, series in here.items() if series}
        end = self.whole.now - self.whole.began
        for name, states in self.case["expect"]["pods"].items():
            want = sightings.recorded(states, self.words, until)
            plain = self.words.plain(name)
            found = [
                (other, list(sightings.unlike(want, series, until, end, made="<rand5>" in plain)))
                for other, series in left.items()
                if self.words.plain(other) == plain
            ]
            if not found:
                yield f"no Pod {plain}"
                continue
            best, faults = min(found, key=lambda one: len(one[1]))
            left.pop(best)
            yield from (f"{plain}: {fault}" for fault in faults)
        yield from (f"a Pod too many: {self.words.plain(name)}" for name in left)

    def _left(self, objects: list[Obj]) -> Iterator[str]:
        """Compare the status of Pods with names of their own that were left in the same state."""
        for want in objects:
            pod = self.whole.pod(want["metadata"]["name"])
            if pod is None or "containers" not in want.get("spec", {}) or self._moment(want) != self._moment(pod):
                continue  # the moment differs: its states are compared above
            pair = [self.words.walk(_status(one["status"])) for one in (want, pod)]
            yield from (f"left {want['metadata']['name']}{text}" for text in differences(*pair))

    def _moment(self, pod: Obj) -> tuple[str, ...]:
        cells = self.whole.cells(json.loads(json.dumps(pod).replace("<time>", "2026-01-01T00:00:00Z")))
        return *cells, pod["status"]["phase"]


def _status(status: Obj) -> Obj:
    out: Obj = json.loads(json.dumps(status))
    if (out.get("resources") or {}).get("limits") == UNLIMITED:
        out["resources"].pop("limits")
    for name in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for one in out.get(name) or ():
            for field in LEFT_OUT:
                one.pop(field, None)
            for key in ("lastState",):
                if one.get(key) == {}:
                    one.pop(key)
    if out.get("conditions"):
        out["conditions"].sort(key=lambda one: one["type"])
    return out


def _lines(command: str, text: str) -> str:
    """Return an output whose lines are sorted where their order is chance."""
    if re.search(UNORDERED, command):
        return "\n".join(sorted(line for line in text.split("\n") if line))
    return text.rstrip("\n")


def _met(whole: Whole, wait: Obj) -> bool:
    if "event" in wait:
        count = sum(
            one.get("count") or 1
            for one in whole.events()
            if one["reason"] == wait["event"] and wait.get("text", "") in (one.get("message") or "")
        )
        return bool(count >= wait["count"])
    if "pods" in wait:
        shown = [whole.cells(pod) for pod in whole.pods()]
        ready = wait.get("ready")
        return sum(1 for one in shown if one[1] == "Running" and ready in (None, one[0])) >= wait["pods"]
    pod = whole.pod(wait["pod"])
    if pod is None or wait.get("gone"):
        return pod is None and bool(wait.get("gone"))
    ready, shown_status, restarts = whole.cells(pod)
    return (
        (
            wait.get("status") is None or shown_status in wait["status"]
            if isinstance(wait.get("status"), list)
            else wait.get("status") in (None, shown_status)
        )
        and wait.get("ready") in (None, ready)
        and int(restarts) >= wait.get("restarts", 0)
    )
