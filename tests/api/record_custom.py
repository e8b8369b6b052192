"""Asks a real API server again what `recorded/custom.json` holds and writes its answers there.

    python tests/api/record_custom.py ADMIN_CONF     # a kubeconfig as JSON with a token, such as the control plane's of KUBE_RIG

Add a case with any answer (`null`), then run this. Answers that name several fields of one map come in the order of Go's maps, which
changes from run to run: leave such cases out.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded" / "custom.json"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"


class Server:
    """A real API server."""

    def __init__(self, conf: dict[str, Any]) -> None:
        self.address = conf["clusters"][0]["cluster"]["server"]
        self.token = conf["users"][0]["user"]["token"]
        self.trust = ssl._create_unverified_context()

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send one request; the answer, also of a refusal."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            text = refused.read()
            return json.loads(text) if text.startswith(b"{") else {}


def definition(schema: dict[str, Any]) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "kind": "Widget"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**head, "metadata": {"name": "widgets.example.com"}, "spec": spec}


def widgets(server: Server, part: dict[str, Any]) -> None:
    """Record what is answered to widgets of a schema."""
    server.call("DELETE", f"{CRDS}/widgets.example.com")
    time.sleep(1)
    made = server.call("POST", CRDS, definition(part["schema"]))
    assert made["kind"] == "CustomResourceDefinition", made
    time.sleep(1.5)
    for case in part["cases"]:
        obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": case[0]}
        got = server.call("POST", f"{WIDGETS}?dryRun=All", obj)
        case[1] = got["message"] if got["kind"] == "Status" else got["spec"]
    server.call("DELETE", f"{CRDS}/widgets.example.com")
    time.sleep(1)


def line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def written(recorded: dict[str, Any]) -> str:
    """Return the file: one case a line."""
    parts = []
    for name, part in recorded.items():
        cases = ",\n".join(map(line, part if isinstance(part, list) else part["cases"]))
        body = (
            f"[\n{cases}\n]"
            if isinstance(part, list)
            else f'{{"schema":{line(part["schema"])},\n"cases":[\n{cases}\n]}}'
        )
        parts.append(f'"{name}": {body}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    server = Server(json.loads(Path(sys.argv[1]).read_text()))
    recorded = json.loads(RECORDED.read_text())
    for name in ("values", "rules", "libraries"):
        widgets(server, recorded[name])
    for case in recorded["definitions"]:
        got = server.call("POST", f"{CRDS}?dryRun=All", case[0])
        case[1] = got["message"] if got["kind"] == "Status" else ""
    RECORDED.write_text(written(recorded))


if __name__ == "__main__":
    main()
