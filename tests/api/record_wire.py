"""Asks a real API server again what `recorded/wire.json` holds and writes its answers there: forms, protobuf, headers, root paths.

    python tests/api/record_wire.py ADMIN_CONF     # a kubeconfig as JSON with a token, such as the control plane's of KUBE_RIG

A case is [method, path, headers, body, answer]; add one with any answer (`null`), then run this. `before` is made first, and goes
again. Bodies in protobuf are recorded as what they say; `bytes` keeps those bytes too, as base64, for the test of the encoder.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from kit.kube import protobuf

RECORDED = Path(__file__).parent / "recorded" / "wire.json"
PROTOBUF = "application/vnd.kubernetes.protobuf"
HEADERS = (
    "Cache-Control", "Content-Encoding", "Content-Type", "Etag", "Expires", "Last-Modified", "Location", "Retry-After", "Vary",
    "Warning", "X-Content-Type-Options", "X-Kubernetes-Pf-Flowschema-Uid", "X-Kubernetes-Pf-Prioritylevel-Uid",
)  # fmt: skip
UNSERVED = ("/flagz", "/statusz")
_NEW = (
    (re.compile(r'("kid":"|"x":"|"y":")[^"]*'), r"\1<key>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r'"resourceVersion": ?"\d+"'), '"resourceVersion":"<version>"'),
    (re.compile(r'(resourceVersion: )"\d+"'), r'\1"<version>"'),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d"), "<date>"),
    (re.compile(r"[0-9A-F]{128}"), "<hash>"),
    (re.compile(r"in record \(\d+\)"), "in record (<version>)"),
    (re.compile(r"\\u003c"), "<"),  # Go writes these so, which says the same
    (re.compile(r"\\u003e"), ">"),
    (re.compile(r"(https://)?(172\.18\.0\.2|127\.0\.0\.1):\d+"), "<server>"),
)


def told(path: str, code: int, headers: Iterable[tuple[str, str]], body: bytes) -> list[Any]:
    """Return an answer as it is recorded: of OpenAPI whether there is a body, of the root not the paths that only a real server has."""
    kept: dict[str, str] = {}
    for key, value in headers:
        name = "Etag" if key == "ETag" else key
        if name in HEADERS:
            kept[name] = plain(f"{kept[name]}, {value}" if name in kept else value)
    text = plain(_text(kept.get("Content-Type", ""), body))
    if path.startswith("/openapi/"):
        text = str(bool(text))
    for one in UNSERVED if path == "/" else ():
        text = text.replace(f'    "{one}",\n', "")
    return [code, dict(sorted(kept.items())), text]


def _text(media: str, body: bytes) -> str:
    if media.startswith(PROTOBUF) and "stream=watch" in media:
        return json.dumps([[kind, protobuf.read(obj)] for kind, obj in frames(body)])
    if media.startswith(PROTOBUF):
        return json.dumps(protobuf.read(body))
    return body.decode("utf-8", "replace")


def plain(text: str) -> str:
    """Return a text without what is new each time."""
    for pattern, word in _NEW:
        text = pattern.sub(word, text)
    return text


def frames(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the type and the object of each event in a watch's bytes."""
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        event = protobuf._message(memoryview(body)[at + 4 : at + 4 + size], protobuf._table(EVENT), 1)
        at += 4 + size
        yield event["type"], raw(body[at - size : at])


EVENT = "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent"


def raw(event: bytes) -> bytes:
    """Return the object's bytes of a WatchEvent."""
    return event[event.index(protobuf.MAGIC) :]


def main() -> None:
    conf = json.loads(Path(sys.argv[1]).read_text())
    address, token = conf["clusters"][0]["cluster"]["server"], conf["users"][0]["user"]["token"]
    seen: dict[str, str] = {}

    def call(method: str, path: str, headers: dict[str, str | None], body: Any) -> list[Any]:
        wanted = {"Authorization": f"Bearer {token}", "Accept": "*/*", "User-Agent": "facts/v1", **headers}
        sent = {key: value for key, value in wanted.items() if value is not None}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address + path, data=data, method=method, headers=sent)
        try:
            with OPENER.open(request) as answer:
                got = answer.status, list(answer.headers.items()), answer.read()
        except urllib.error.HTTPError as refused:
            got = refused.code, list(refused.headers.items()), refused.read()
        if got[2].startswith(protobuf.MAGIC):
            seen[f"{method} {path} {headers}"] = base64.b64encode(got[2]).decode()
        return told(path, *got)

    recorded = json.loads(RECORDED.read_text())
    for path, body in recorded["before"]:
        call("POST", path, {}, body)
    time.sleep(3)
    for case in recorded["cases"]:
        case[4] = call(*case[:4])
    for path, body in reversed(recorded["before"]):
        call("DELETE", f"{path}/{body['metadata']['name']}?gracePeriodSeconds=0", {}, None)
    recorded["bytes"] = list(seen.items())
    lines = {part: ",\n".join(json.dumps(one, ensure_ascii=False) for one in recorded[part]) for part in recorded}
    RECORDED.write_text("{\n" + ",\n".join(f'"{part}": [\n{text}\n]' for part, text in lines.items()) + "\n}\n")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *args: Any, **more: Any) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl._create_unverified_context()), _Stay)

if __name__ == "__main__":
    main()
