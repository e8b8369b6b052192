"""A real API server in the place of the world of these tests; what a case makes there is deleted behind it."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

AGENT = "facts/v1 (linux/amd64)"
KNOWN = {"Www-Authenticate": "WWW-Authenticate"}
NOT_KEPT = re.compile(r"/(eviction|token|binding|scale|status|ephemeralcontainers|approval|resize|finalize)$")
NAMESPACE = re.compile(r"/api/v1/namespaces/[^/]+")
GO = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
MERGE = {"Content-Type": "application/merge-patch+json"}
TRIES = 60


class Listed(list[Any]):
    """Headers as pairs, that also answer by name."""

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self if key == name), default)


class Reply:
    """An answer as the replaying code reads it."""

    def __init__(self, code: int, headers: list[tuple[str, str]], body: bytes, *, stream: bool) -> None:
        self.code = code
        self.headers = Listed((KNOWN.get(key, key), value) for key, value in headers)
        self.response = SimpleNamespace(headers=self.headers, body=body)
        self.begun = SimpleNamespace(status=code, headers=self.headers) if stream else None
        self.events = [json.loads(line) for line in body.splitlines()] if stream else []


class RealServer:
    """The server that a kubeconfig (JSON, with a token, as the control plane's of KUBE_RIG) names."""

    def __init__(self, kubeconfig: Mapping[str, Any]) -> None:
        address = urlsplit(kubeconfig["clusters"][0]["cluster"]["server"])
        self._token = kubeconfig["users"][0]["user"]["token"]
        self._line = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=ssl._create_unverified_context()
        )
        self._made: list[str] = []
        self._places: dict[tuple[str, str], tuple[str, bool]] = {}

    def run(self, ms: int) -> None:
        """Let time pass."""
        time.sleep(ms / 1000)

    def collection(self, version: str, kind: str, namespace: str) -> str:
        """Return where objects of a kind are posted."""
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._places:
            for one in json.loads(self._ask("GET", base, {}, None).response.body)["resources"]:
                if "/" not in one["name"]:
                    self._places[version, one["kind"]] = one["name"], one["namespaced"]
        plural, namespaced = self._places[version, kind]
        return f"{base}/namespaces/{namespace}/{plural}" if namespaced else f"{base}/{plural}"

    def call(self, method: str, path: str, body: Any = None, *, headers: Any = None, raw: Any = None, query: Any = (), **more: str) -> Reply:  # fmt: skip
        """Send one request as the administrator, and remember what it made."""
        asked = [*query, *more.items()]
        data = raw if raw is not None else None if body is None else json.dumps(body, ensure_ascii=False).encode()
        reply = self._ask(method, f"{quote(path, safe='/%:')}?{urlencode(asked)}".rstrip("?"), headers or {}, data)
        if method in {"POST", "PUT", "PATCH"} and reply.code < 300 and "dryRun" not in dict(asked):
            self._remember(method, path, reply)
        return reply

    def close(self) -> None:
        """Close the line."""
        self._line.close()

    @contextmanager
    def tidy(self) -> Iterator[RealServer]:
        """Delete at the end what was made meanwhile."""
        try:
            yield self
        finally:
            for path in reversed(self._made):
                self._delete(path)
            self._made.clear()

    def _ask(self, method: str, target: str, headers: Mapping[str, str | None], data: bytes | None) -> Reply:
        sent: dict[str, str | None] = {"Authorization": f"Bearer {self._token}", "User-Agent": AGENT}
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent |= {"Accept": "application/json", **headers}
        kept = {key: value.encode() for key, value in sent.items() if value is not None}
        for left in (1, 0):  # a server closes a line after some refusals
            try:
                self._line.request(method, target, data, kept)
                answer = self._line.getresponse()
                break
            except (http.client.HTTPException, OSError):
                self._line.close()
                if not left:
                    raise
        body = answer.read()
        stream = answer.status == 200 and re.search(r"[?&]watch=(1|true)", target) is not None
        return Reply(answer.status, answer.getheaders(), body, stream=stream)

    def _remember(self, method: str, path: str, reply: Reply) -> None:
        with suppress(ValueError):
            obj = json.loads(reply.response.body)
            meta = obj.get("metadata") or {}
            if not (meta.get("name") and meta.get("uid")) or (method == "POST" and NOT_KEPT.search(path)):
                return
            place = f"{path}/{meta['name']}" if method == "POST" else NOT_KEPT.sub("", path)
            if place not in self._made:
                self._made.append(place)
            if obj["kind"] == "CustomResourceDefinition":
                self._await(obj["spec"])

    def _await(self, spec: Mapping[str, Any]) -> None:
        served = next(one["name"] for one in spec["versions"] if one["served"])
        for _ in range(TRIES):
            if self._ask("GET", f"/apis/{spec['group']}/{served}/{spec['names']['plural']}", {}, None).code == 200:
                break
            time.sleep(0.1)
        time.sleep(0.3)  # the next request may meet another of the server's caches

    def _delete(self, path: str) -> None:
        answer = self._ask("DELETE", path, {}, json.dumps(GO).encode())
        for _ in range(TRIES):
            if answer.code == 404:
                return
            answer = self._ask("GET", path, {}, None)
            found = json.loads(answer.response.body)
            if found.get("metadata", {}).get("finalizers"):
                self._ask("PATCH", path, MERGE, b'{"metadata":{"finalizers":null}}')
            elif NAMESPACE.fullmatch(path):  # nobody is there to empty it
                self._ask("PUT", f"{path}/finalize", {}, json.dumps({**found, "spec": {}}).encode())
            time.sleep(0.02)
