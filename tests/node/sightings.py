"""What a watch showed of Pods and events, reduced as it is recorded, and how two such series compare.

Times differ between a simulated cluster and a busy real one: a state that lasted is compared, a fleeting one may be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from whole import SLICES, Whole
from wording import Words

Obj = dict[str, Any]
Series = list[tuple[int, str]]  # (ms, state as JSON)

LASTING_MS = 1_100  # a recorded state of this length must be seen here
SEEN_MS = 2_100  # one of this length here must have been recorded
SLACK_MS, SLACK = (
    4_000,
    0.5,
)  # how much the length of a state may differ: a real kubelet comes back up to half as late again
STATE = ("exitCode", "reason", "message", "signal")
CONTAINER = ("name", "ready", "started", "restartCount")
RACES = ("connect: connection refused", "network is unreachable", "no route to host", "context deadline exceeded")
OWN = ("type", "reason", "message", "object", "fieldPath", "source", "host", "reportingController", "reportingInstance")


def state(whole: Whole, pod: Obj, *, removed: bool) -> Obj:
    """Return a Pod's state as it is recorded."""
    status, metadata = pod.get("status") or {}, pod["metadata"]
    ready, shown, restarts = whole.cells(pod)
    out: Obj = {"phase": status.get("phase"), "STATUS": shown, "READY": ready, "RESTARTS": restarts}
    out |= {key: status[key] for key in ("reason", "message") if status.get(key)}
    if "deletionTimestamp" in metadata:
        out |= {"deleting": True, "gracePeriodSeconds": metadata.get("deletionGracePeriodSeconds")}
    if pod["spec"].get("nodeName"):
        out["scheduled"] = True
    out["podIP"] = bool(status.get("podIP"))
    fields = ("type", "status", "reason", "message")
    out["conditions"] = [{key: one[key] for key in fields if one.get(key)} for one in status.get("conditions") or ()]
    for name in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        if status.get(name):
            out[name] = [_container(one) for one in status[name]]
    return {**out, "removed": True} if removed else out


def _container(status: Obj) -> Obj:
    out: Obj = {key: status[key] for key in CONTAINER if key in status}
    for name in ("state", "lastState"):
        found = {kind: {key: one[key] for key in STATE if key in one} for kind, one in (status.get(name) or {}).items()}
        if found:
            out[name] = found
    return out


def here(whole: Whole, words: Words) -> dict[str, Series]:
    """Return the states of each Pod that the watch saw."""
    found: dict[str, Series] = {}
    names: dict[str, str] = {}  # by uid: who has the name of one before is that name "again"
    for ms, event, obj in whole.seen["pods"]:
        words.learn(obj)
        name, uid = obj["metadata"]["name"], obj["metadata"]["uid"]
        names.setdefault(uid, f"{name}#again" if name in names.values() else name)
        shown = state(whole, obj, removed=event.type == "DELETED")
        found.setdefault(names[uid], []).append((ms, _key(words.walk(shown))))
    return {name: _joined(series) for name, series in found.items()}


def recorded(states: Sequence[Obj], words: Words, until: int) -> Series:
    """Return a recorded Pod's states, without the tidying up after the case."""
    kept = [one for one in states if one["ms"] <= until]
    return _joined([(one["ms"], _key(words.walk({k: v for k, v in one.items() if k != "ms"}))) for one in kept])


def _key(state: Obj) -> str:
    conditions = sorted(state.get("conditions") or (), key=lambda one: str(one["type"]))
    return json.dumps({**state, "conditions": conditions}, sort_keys=True)


def _joined(series: Series) -> Series:
    out: Series = []
    for ms, key in series:
        if not out or out[-1][1] != key:
            out.append((ms, key))
    return out


def _lengths(series: Series, end: int) -> list[int]:
    return [after - ms for (ms, _), after in zip(series, [*(ms for ms, _ in series[1:]), end], strict=True)]


def unlike(want: Series, got: Series, want_end: int, got_end: int, *, made: bool) -> Iterator[str]:
    """Yield how the states of a Pod differ. Which of its Pods a controller picks is chance: lengths are not compared when it `made` them."""
    lasting = [key for (_, key), ms in zip(want, _lengths(want, want_end), strict=True) if ms >= LASTING_MS]
    yield from (f"not seen here: {text}" for text in _missing(lasting, [key for _, key in got]))
    seen = [(start, key) for (start, key), ms in zip(got, _lengths(got, got_end), strict=True) if ms >= SEEN_MS]
    staying = [key for start, key in seen if not _too_late(key, start, want, want_end)]
    yield from (f"not recorded: {text}" for text in _missing(staying, [key for _, key in want]))
    known, once = ({}, {}) if made else (_once(want), _once(got))
    for key in known:
        if key in once and abs(known[key] - once[key]) > max(SLACK_MS, SLACK * known[key]):
            yield f"lasted {once[key]} ms, recorded {known[key]} ms: {short(key)}"


def _too_late(key: str, start: int, want: Series, want_end: int) -> bool:
    """Say whether a restart more than was recorded came here so soon before the end that a real kubelet's may have come after it."""
    most = max((int(json.loads(one)["RESTARTS"]) for _, one in want), default=0)
    return int(json.loads(key)["RESTARTS"]) > most and start * (1 + SLACK) > want_end


def _once(series: Series) -> dict[str, int]:
    """Return the length of states that were seen once, and were followed by another."""
    keys = [key for _, key in series]
    spans = pairwise(series)
    # An eviction comes when the kubelet has measured: about once a minute, at a time of its own.
    return {key: after - ms for (ms, key), (after, then) in spans if keys.count(key) == 1 and "exceeds" not in then}


def _missing(wanted: Sequence[str], given: Sequence[str]) -> Iterator[str]:
    """Yield what of `wanted` is not in `given`, in its order."""
    at = 0
    for key in wanted:
        if key in given[at:]:
            at = given.index(key, at) + 1
        elif at == 0 or given[at - 1] != key:
            near = min(given[max(0, at - 1) :] or [""], key=lambda one: len(_parts(one) ^ _parts(key)))
            yield f"{short(key)} (nearest lacks {sorted(_parts(key) - _parts(near))}, has {sorted(_parts(near) - _parts(key))})"


def _parts(key: str) -> set[str]:
    def walk(value: Any, at: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, one in value.items():
                yield from walk(one, f"{at}.{name}")
        elif isinstance(value, list):
            for number, one in enumerate(value):
                yield from walk(one, f"{at}[{one.get('name', one.get('type', number))}]")
        else:
            yield f"{at}={value}"

    return set(walk(json.loads(key), "")) if key else set()


def short(key: str) -> str:
    """Return what a person calls a state."""
    found = json.loads(key)
    return f"{found['STATUS']} {found['READY']} {found['RESTARTS']}{' deleting' if found.get('deleting') else ''}"


# --- endpoints ---


def slices_unlike(want: Sequence[Obj], whole: Whole, words: Words, until: int) -> Iterator[str]:
    """Yield what the EndpointSlices showed for a while in the recording and not here, for each Service."""
    for service in dict.fromkeys(one["service"] for one in want):
        told = [
            (one["ms"], _slice(words.walk(one))) for one in want if one["service"] == service and one["ms"] <= until
        ]
        seen = [
            _slice(words.walk(_as_recorded(obj)))
            for _, _, obj in whole.seen[SLICES]
            if (obj["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == service
        ]
        series = _joined(told)
        for (_, key), ms in zip(series, _lengths(series, until), strict=True):
            if ms >= LASTING_MS and key not in seen:
                yield f"endpoints of {service}: {key} was not seen"


def _as_recorded(slice: Obj) -> Obj:
    points = [{**one, "targetRef": (one.get("targetRef") or {}).get("name")} for one in slice.get("endpoints") or ()]
    return {"ports": slice.get("ports"), "endpoints": points}


def _slice(told: Obj) -> str:
    points = [{key: one.get(key) for key in ("addresses", "conditions", "targetRef")} for one in told["endpoints"]]
    ports = sorted(json.dumps(one, sort_keys=True) for one in told["ports"] or ())
    return json.dumps([ports, sorted(json.dumps(one, sort_keys=True) for one in points)])


# --- events ---


def events_here(whole: Whole, words: Words, since: int = 0) -> list[Obj]:
    """Return the events first seen at `since` or later, in that order, each as last seen."""
    latest: dict[str, Obj] = {}
    early = {obj["metadata"]["name"] for ms, _, obj in whole.seen["events"] if ms < since}
    for _, _, obj in whole.seen["events"]:
        if obj["metadata"]["name"] not in early:
            latest[obj["metadata"]["name"]] = obj
    return [words.walk(_event(obj)) for obj in latest.values()]


def _event(event: Mapping[str, Any]) -> Obj:
    about, source = event.get("involvedObject") or {}, event.get("source") or {}
    component = event.get("reportingComponent") or ""
    shown = {
        "type": event.get("type"), "reason": event.get("reason"), "message": event.get("message"),
        "object": f"{about.get('kind')}/{about.get('name')}", "fieldPath": about.get("fieldPath"),
        "source": source.get("component") or component, "host": bool(source.get("host")),
        "reportingController": component, "reportingInstance": event.get("reportingInstance"),
        "count": event.get("count") or 1,
    }  # fmt: skip
    return {key: value for key, value in shown.items() if value}


def told(event: Mapping[str, Any]) -> str:
    """Return an event without its count, as JSON."""
    return json.dumps({key: event[key] for key in OWN if event.get(key)}, sort_keys=True)


def race(event: Mapping[str, Any]) -> bool:
    """Say whether an event is a race that now and then appears in a recording."""
    message = str(event["message"])
    if event["reason"] == "FailedMount":
        return "kube-api-access" in message
    return event["reason"] == "Unhealthy" and message.startswith("Readiness") and message.endswith(RACES)


def events_unlike(want: Sequence[Obj], got: Sequence[Obj], late: Sequence[Obj]) -> Iterator[str]:
    """Yield how the events differ: which there are, and for each object with a name of its own in which order.

    The `late` ones came when the recording may have ended.
    """
    wanted, given = [told(one) for one in want], [told(one) for one in got]
    fleeting = {told(one) for one in (*want, *got) if race(one)} | {told(one) for one in late}
    yield from (
        f"event missing: {text}" for text in dict.fromkeys(wanted) if text not in given and text not in fleeting
    )
    yield from (
        f"event not wanted: {text}" for text in dict.fromkeys(given) if text not in wanted and text not in fleeting
    )
    for name in dict.fromkeys(str(one["object"]) for one in want if "<rand5>" not in str(one["object"])):
        both = set(wanted) & set(given) - fleeting
        orders = [
            list(dict.fromkeys(_at_once(told(one)) for one in side if one["object"] == name and told(one) in both))
            for side in (want, got)
        ]
        if orders[0] != orders[1]:
            yield f"order of events of {name}: wanted {_reasons(orders[0])}, got {_reasons(orders[1])}"


def _at_once(text: str) -> str:
    """Return an event as its place counts: containers that are stopped together are stopped in any order."""
    return re.sub(r'spec\.\w+\{[^}]*\}|container \S+"', "*", text) if '"message": "Stopping container' in text else text


def _reasons(texts: Sequence[str]) -> list[str]:
    return [json.loads(text)["reason"] for text in texts]
