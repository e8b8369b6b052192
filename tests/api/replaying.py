"""One recorded HTTP case: plays it against a world (ours in process, or a real server) and makes what it answers comparable."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

KEPT_HEADERS = ("Warning", "Content-Type", "Retry-After", "Allow", "Location", "WWW-Authenticate")
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
AGE = re.compile(r"(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?")
AGES = {"Age", "Last Schedule", "Last Seen", "First Seen"}


class Case:
    """One case: what it has seen, and how its answers are made comparable."""

    def __init__(self, world: Any, case: dict[str, Any]) -> None:
        self.world = world
        self.case = case
        self.given = json.dumps([case.get("setup", []), case["request"]], ensure_ascii=False)
        self.uids: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.generated = [re.escape(base[:58]) for base in re.findall(r'"generateName": "([^"]+)"', self.given)]

    def play(self) -> dict[str, Any]:
        """Return what the case's request, and those after it, were answered."""
        for number, step in enumerate(self.case.get("setup", [])):
            if "sleep" in step:
                self.world.run(int(step["sleep"] * 1000))
                continue
            reply = self.send(step)
            if reply.code >= 400 and not step.get("mayFail"):
                raise AssertionError(f"setup {number}: {reply.code} {reply.response.body[:300]!r}")
            self.note(number, body_of(reply))
        reply = self.send(self.case["request"])
        got = {"code": code_of(reply), "headers": self.headers(reply), "body": self.walk(body_of(reply))}
        if isinstance(got["body"], str):
            got["body"] = got["body"][:4000]
        if self.case.get("then"):
            replies = [self.send(step) for step in self.case["then"]]
            got["then"] = [{"code": code_of(reply), "body": self.walk(body_of(reply))} for reply in replies]
        return got

    def send(self, step: dict[str, Any]) -> Any:
        """Send a step; a watch is given the time it asks for."""
        reply = self.sent(step)
        self.world.run(0)  # what the server itself does about it: names of custom resources
        return reply

    def sent(self, step: dict[str, Any]) -> Any:
        """Send a step."""
        step = self.fill({key: value for key, value in step.items() if key != "mayFail"})
        if "create" in step:
            obj = step["create"]
            return self.world.call("POST", self.collection(obj), obj, fieldManager="setup")
        if "delete" in step:
            obj = step["delete"]
            return self.world.call(
                "DELETE", f"{self.collection(obj)}/{obj['metadata']['name']}", {"gracePeriodSeconds": 0}
            )
        path, _, more = step["path"].partition("?")
        query = tuple(part.partition("=")[::2] for part in more.split("&") if part)
        query += tuple((key, str(one)) for key, value in (step.get("query") or {}).items() for one in many(value))
        raw = base64.b64decode(step["base64body"]) if "base64body" in step else None
        raw = step["text"].encode() if "text" in step else raw
        headers = {"Accept": "application/json", **(step.get("headers") or {})}
        reply = self.world.call(step["method"], path, step.get("body"), headers=headers, raw=raw, query=query)
        if reply.begun is not None:
            self.world.run(2000)
        return reply

    def collection(self, obj: dict[str, Any]) -> str:
        """Return where objects of that kind are posted."""
        namespace = obj.get("metadata", {}).get("namespace") or "default"
        return str(self.world.collection(obj["apiVersion"], obj["kind"], namespace))

    def note(self, number: int, body: Any) -> None:
        """Remember what later steps may name."""
        if not isinstance(body, dict):
            return
        meta = body.get("metadata") or {}
        if meta.get("uid"):
            self.uids[meta["uid"]] = f"<uid:{number}>"
        token = body["status"].get("token") if isinstance(body.get("status"), dict) else None
        said = {"uid": meta.get("uid"), "rv": meta.get("resourceVersion"), "name": meta.get("name")}
        said |= {"continue": meta.get("continue"), "token": token}
        self.values |= {f"<{key}:{number}>": value for key, value in said.items() if value}

    def fill(self, value: Any) -> Any:
        """Put remembered values in."""
        if isinstance(value, str):
            for word, said in self.values.items():
                value = value.replace(word, said)
            return re.sub(r"<repeat:(.):(\d+)>", lambda found: found[1] * int(found[2]), value)
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        return {self.fill(key): self.fill(one) for key, one in value.items()} if isinstance(value, dict) else value

    def headers(self, reply: Any) -> dict[str, Any]:
        """Return the headers that count."""
        if reply.begun is not None:
            listed = reply.begun.headers
        else:
            listed = reply.response.headers
        out: dict[str, Any] = {key: value for key, value in listed if key in KEPT_HEADERS and key != "Warning"}
        warnings = [
            text
            for key, value in listed
            if key == "Warning"
            for text in re.findall(r'299 - "((?:[^"\\]|\\.)*)"', value)
            if " in the embedded cluster yet: " not in text  # kit.embedded.api.absent: a real server has no need of it
        ]
        if warnings:
            out["Warning"] = [self.text(text) for text in warnings]
        return out

    def text(self, text: str) -> str:
        """Return a text without what differs from run to run."""
        for uid, word in self.uids.items():
            text = text.replace(uid, word)
        given = self.given
        text = UUID.sub(lambda m: m[0] if m[0] in given else "<uuid>", text)
        text = TIME.sub(lambda m: m[0] if m[0] in given else "<microtime>" if len(m[1] or "") == 7 else "<time>", text)
        text = re.sub(r"\b127\.0\.0\.1:\d+", "<server>", text)
        text = re.sub(rf"(kube-api-access-)[{SUFFIX}]{{5}}\b", r"\1<rand5>", text)
        text = re.sub(r"\b10\.96\.\d+\.\d+\b", lambda m: m[0] if m[0] in given else "<clusterIP>", text)
        text = re.sub(
            r":(3[0-2]\d{3})/(TCP|UDP|SCTP)", lambda m: m[0] if m[1] in given else f":<nodePort>/{m[2]}", text
        )
        text = re.sub(r"eyJ[\w-]{20,}\.eyJ[\w-]+\.[\w-]+", "<token>", text)
        text = re.sub(r"(.)\1{999,}", lambda m: f"<repeat:{m[1]}:{len(m[0])}>", text)
        for base in self.generated:
            text = re.sub(rf"\b({base})[{SUFFIX}]{{5}}\b", r"\1<rand5>", text)
        text = re.sub(r"(in record \()\d+\)", r"\1<rv>)", text)
        text = re.sub(r'(resourceVersion\\*":\s*\\*")\d+', r"\1<rv>", text)
        text = re.sub(r"(Too large resource version: \d+, current: )\d+", r"\1<rv>", text)
        return re.sub(r"(resource version: )\d+ \(\d+\)", r"\1<rv> (<rv>)", text)

    def walk(self, value: Any, key: str = "") -> Any:
        """Return an answer without what differs from run to run."""
        if isinstance(value, str):
            return self.word(value, key)
        if isinstance(value, list):
            return [self.walk(one, key) for one in value]
        if isinstance(value, int) and not isinstance(value, bool) and key in {"nodePort", "healthCheckNodePort"}:
            return "<nodePort>" if 30_000 <= value <= 32_767 and str(value) not in self.given else value
        if not isinstance(value, dict):
            return value
        if value.get("kind") == "Table" and "rows" in value:
            value = table(value)
        out = {self.text(name): self.walk(one, name) for name, one in value.items()}
        base, name = out.get("generateName"), out.get("name")
        if (
            isinstance(base, str)
            and isinstance(name, str)
            and name.startswith(base[:58])
            and len(name) == len(base[:58]) + 5
        ):
            out["name"] = base[:58] + "<rand5>"
        if isinstance(out.get("managedFields"), list):
            out["managedFields"] = sorted(map(timeless, out["managedFields"]), key=owner)
        return out

    def word(self, value: str, key: str) -> str:
        """Return one text of an answer, by the field it is in."""
        if key == "resourceVersion" and value:
            return "<rv>" if value.isdigit() and value != "0" else value
        if key == "continue" and value:
            return "<continue>"
        if key == "token" and len(value) > 50:
            return "<token>"
        return self.text(value)


def many(value: Any) -> list[Any]:
    """Return a query value as a list."""
    return value if isinstance(value, list) else [value]


def timeless(entry: Any) -> Any:
    """Return a managedFields entry with its time hidden."""
    return {**entry, "time": "<time>"} if isinstance(entry, dict) and "time" in entry else entry


def owner(entry: Any) -> list[str]:
    """Return what managedFields are sorted by."""
    return [str(entry.get(key, "")) for key in ("operation", "manager", "subresource", "apiVersion")]


def table(value: dict[str, Any]) -> dict[str, Any]:
    """Return a Table without column descriptions and ages."""
    columns = [
        {key: one for key, one in column.items() if key != "description"}
        for column in value.get("columnDefinitions") or ()
    ]
    rows = [
        {**row, "cells": [cell(columns, index, one) for index, one in enumerate(row["cells"])]}
        for row in value["rows"] or ()
    ]
    return {**value, "columnDefinitions": columns or value.get("columnDefinitions"), "rows": rows or value["rows"]}


def cell(columns: list[dict[str, Any]], index: int, value: Any) -> Any:
    """Return a cell with its age hidden."""
    name, date = (columns[index]["name"], columns[index].get("type") == "date") if index < len(columns) else ("", False)
    if not isinstance(value, str):
        return value
    if value and AGE.fullmatch(value) and (name in AGES or date or (name == "Duration" and "y" in value)):
        return "<age>"
    return re.sub(r"\(\S+ ago\)", "(<age> ago)", value) if name == "Restarts" else value


def code_of(reply: Any) -> int:
    """Return an answer's code."""
    return int(reply.begun.status) if reply.begun is not None else int(reply.code)


def body_of(reply: Any) -> Any:
    """Return an answer's body as a value."""
    if reply.begun is not None:
        return reply.events if len(reply.events) != 1 else reply.events[0]
    raw, media = reply.response.body, reply.headers.get("Content-Type", "")
    if not raw:
        return None
    if "yaml" in media:
        return yaml.load(raw, Loader=yaml.BaseLoader)
    return json.loads(raw) if "json" in media else raw.decode()


def differences(want: Any, got: Any, at: str = "") -> Iterator[str]:
    """Yield where two values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in [*want, *(key for key in got if key not in want)]:
            if key not in got:
                yield f"{at}.{key}: missing, wanted {short(want[key])}"
            elif key not in want:
                yield f"{at}.{key}: not wanted, got {short(got[key])}"
            else:
                yield from differences(want[key], got[key], f"{at}.{key}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for index, (left, right) in enumerate(zip(want, got, strict=True)):
            yield from differences(left, right, f"{at}[{index}]")
    elif want != got or isinstance(want, bool) != isinstance(got, bool):
        yield f"{at}: wanted {short(want)}, got {short(got)}"


def short(value: Any) -> str:
    """Return a value as a short text."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 200 else text[:197] + "..."


def bag(value: Any) -> Any:
    """Return a value whose lists and words have no order."""
    if isinstance(value, dict):
        return {key: bag(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted((bag(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return sorted(re.split(r"[ ,\[\]]+", value)) if isinstance(value, str) and " " in value else value


def quiet(case: dict[str, Any], got: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as a case wants it kept: with `onlyRefusals` the bodies of what is granted do not matter."""
    if not case.get("onlyRefusals"):
        return got
    kept = got if got["code"] >= 400 else {**got, "body": None}
    return {**kept, "then": [_quiet(one) for one in got["then"]]} if "then" in got else kept


def _quiet(answer: dict[str, Any]) -> dict[str, Any]:
    body = answer["body"]
    keeps = answer["code"] >= 400 or (isinstance(body, dict) and body.get("kind") == "ResourceQuota")
    return answer if keeps else {**answer, "body": None}


def compare(case: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Return where an answer differs from what was recorded."""
    want = json.loads(json.dumps(case["expect"]))
    got = json.loads(json.dumps(quiet(case, got)))
    for side in (want, got):
        side["headers"] = dict(side.get("headers") or {})
        if "Content-Type" in side["headers"]:
            side["headers"]["Content-Type"] = side["headers"]["Content-Type"].replace(" ", "")
    if case.get("unordered"):
        want, got = bag(want), bag(got)
    return list(differences(want, got))


def outcome(world: Any, case: dict[str, Any]) -> list[str]:
    """Play one case in a world of its own; the differences."""
    try:
        return compare(case, Case(world, case).play())
    except AssertionError as error:
        return [f"(could not run) {error}"]


def bare(value: Any) -> Any:
    """Return a discovery document without load state and addresses."""
    if isinstance(value, dict):
        hidden = {"freshness", "storageVersionHash", "serverAddressByClientCIDRs", "resourceVersion"}
        return {key: bare(one) for key, one in value.items() if key not in hidden}
    return [bare(one) for one in value] if isinstance(value, list) else value
