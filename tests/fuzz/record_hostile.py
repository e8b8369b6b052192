"""Ask a real API server the hostile requests and keep its answers: `python tests/fuzz/record_hostile.py KUBECONFIG`.

Writes tests/facts/hostile.jsonl.xz: a line for each case of hostile_cases and hostile_queries: id, code, and the Status's message or
the start of any other body. A ConfigMap `x` with data a=1 is in the namespace `default`.
"""

from __future__ import annotations

import http.client
import json
import lzma
import re
import ssl
import sys
from pathlib import Path

import hostile_queries
import yaml
from hostile_cases import CASES, CM, Case

FACTS = Path(__file__).parent.parent / "facts" / "hostile.jsonl.xz"
SHOWN = 400
X = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}
# What differs from cluster to cluster, and from one moment to the next.
CHANGING = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:]+Z|(?<=resourceVersion\\\":\\\")\d+|(?<=current: )\d+"
)
assert hostile_queries


def shown(body: bytes) -> str:
    """Return what of an answer is compared: a Status's message, an object's kind, the start of a text."""
    text = body.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except ValueError:
        return text[:80] if not text.startswith('{"type"') else "<watch>"
    if found.get("kind") != "Status":
        return f"<{found.get('kind')}>"
    return CHANGING.sub("?", f"[{found.get('reason', '')}] {found.get('message', '')}")[:SHOWN]


def main(kubeconfig: str) -> None:
    """Record."""
    config = yaml.safe_load(Path(kubeconfig).read_text(encoding="utf-8"))
    host = config["clusters"][0]["cluster"]["server"].removeprefix("https://")
    bearer = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    context = ssl._create_unverified_context()

    def ask(one: Case) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(host, context=context, timeout=20)
        try:
            connection.request(one.method, one.path, one.body or None, {**bearer, **dict(one.headers)})
            answer = connection.getresponse()
            watching = answer.getheader("Content-Length") is None and "watch=" in one.path
            return answer.status, shown(answer.readline() if watching else answer.read())
        finally:
            connection.close()

    made = Case("x", "POST", CM, json.dumps(X).encode(), (("Content-Type", "application/json"),))
    assert ask(made)[0] in {201, 409}
    lines = []
    for one in CASES:
        code, text = ask(one)
        lines.append(json.dumps({"id": one.id, "code": code, "shown": text}))
    FACTS.write_bytes(lzma.compress("\n".join(lines).encode() + b"\n", preset=9))
    print(f"{len(lines)} answers, {FACTS.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
