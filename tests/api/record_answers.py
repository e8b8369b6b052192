"""Asks a real API server again what `recorded/answers.json` holds and writes its answers there.

    python tests/api/record_answers.py ADMIN_CONF     # a kubeconfig as JSON with a token, such as the control plane's of KUBE_RIG

A case is [method, path, headers, body, answer]; add one with any answer (`null`), then run this. `before` is made first, and goes again.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded" / "answers.json"
HEADERS = ("Content-Type", "X-Content-Type-Options", "Cache-Control", "Retry-After")
_NEW = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r'"resourceVersion":"\d+"'), '"resourceVersion":"<version>"'),
    (re.compile(r'(resourceVersion: )"\d+"'), r'\1"<version>"'),
    (re.compile(r'"status":\{"replicas":\d+'), '"status":{"replicas":<count>'),  # how far the controllers are
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
)


def told(code: int, headers: Mapping[str, str], body: bytes) -> list[Any]:
    """Return an answer as it is recorded."""
    text = body.decode("utf-8", "replace")
    try:
        text = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    except ValueError:
        text = text.rstrip("\n")
    for pattern, word in _NEW:
        text = pattern.sub(word, text)
    return [code, {name: headers[name] for name in HEADERS if headers.get(name)}, text]


def main() -> None:
    conf = json.loads(Path(sys.argv[1]).read_text())
    address, token = conf["clusters"][0]["cluster"]["server"], conf["users"][0]["user"]["token"]

    def call(method: str, path: str, headers: dict[str, str], body: Any) -> list[Any]:
        sent = {"Authorization": f"Bearer {token}", "Accept": "*/*", "User-Agent": "facts/v1", **headers}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address + path, data=data, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, context=ssl._create_unverified_context()) as answer:
                return told(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            return told(refused.code, refused.headers, refused.read())

    recorded = json.loads(RECORDED.read_text())
    for path, body in recorded["before"]:
        call("POST", path, {}, body)
    time.sleep(2)
    for case in recorded["cases"]:
        case[4] = call(*case[:4])
    for path, body in reversed(recorded["before"]):
        call("DELETE", f"{path}/{body['metadata']['name']}", {}, None)
    lines = {
        part: ",\n".join(json.dumps(one, ensure_ascii=False) for one in recorded[part]) for part in ("before", "cases")
    }
    RECORDED.write_text("{\n" + ",\n".join(f'"{part}": [\n{text}\n]' for part, text in lines.items()) + "\n}\n")


if __name__ == "__main__":
    main()
