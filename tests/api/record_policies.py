"""Asks a real API server again what `recorded/policies.json` holds and writes its answers there.

    python tests/api/record_policies.py ADMIN_CONF [ID...]   # a kubeconfig as JSON with a token, as the control plane's of KUBE_RIG

A case makes objects, waits until they count, sends requests with dryRun and records code, message, causes, warnings and, where
`show` names them, parts of the answer. Add a case without `answers`, then run this. Ask `params-selector` of a new
server: it watches the objects of a paramKind until the first policy that used it is gone, and never again.
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

RECORDED = Path(__file__).parent / "recorded" / "policies.json"
REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
PLACES = {
    "ValidatingAdmissionPolicy": f"{REGISTRATION}/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": f"{REGISTRATION}/validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": f"{REGISTRATION}/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": f"{REGISTRATION}/mutatingadmissionpolicybindings",
    "ValidatingWebhookConfiguration": f"{REGISTRATION}/validatingwebhookconfigurations",
    "MutatingWebhookConfiguration": f"{REGISTRATION}/mutatingwebhookconfigurations",
    "ConfigMap": "/api/v1/namespaces/default/configmaps",
    "Service": "/api/v1/namespaces/default/services",
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
}


class Server:
    """A real API server."""

    def __init__(self, conf: dict[str, Any]) -> None:
        self.address = conf["clusters"][0]["cluster"]["server"]
        self.token = conf["users"][0]["user"]["token"]
        self.trust = ssl._create_unverified_context()

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, list[str], Any]:
        """Send one request; code, warnings and body."""
        media = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": media, "Accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                return answer.status, answer.headers.get_all("Warning") or [], json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            text = refused.read()
            body = json.loads(text) if text.startswith(b"{") else {"message": text.decode()}
            return refused.code, refused.headers.get_all("Warning") or [], body


def answer(code: int, warnings: list[str], body: Any, show: list[str]) -> dict[str, Any]:
    """Return what is recorded of an answer."""
    out: dict[str, Any] = {"code": code}
    if warnings:
        out["warnings"] = warnings
    if code >= 400:
        out |= {key: body[key] for key in ("message", "reason", "details") if key in body}
    else:
        out |= {"shown": {path: _at(body, path.split(".")) for path in show}} if show else {}
    return out


def _at(body: Any, path: list[str]) -> Any:
    for part in path:
        body = (
            (body[int(part)] if int(part) < len(body) else None) if isinstance(body, list) else (body or {}).get(part)
        )
    return body


def play(server: Server, case: dict[str, Any]) -> None:
    """Record one case."""
    for obj in case["objects"]:
        code, _, body = server.call("POST", PLACES[obj["kind"]], obj)
        if code != 201:
            print(case["id"], body["message"])
    time.sleep(2.5)
    case["answers"] = []
    for method, path, *body in case["requests"]:
        got = server.call(method, path if "?" in path or method == "GET" else f"{path}?dryRun=All", *body)
        case["answers"].append(answer(*got, case.get("show", [])))
    for _ in range(2):  # a policy that is still at work may keep what it is about
        for obj in reversed(case["objects"]):
            server.call("DELETE", f"{PLACES[obj['kind']]}/{obj['metadata']['name']}")
        time.sleep(1)


def main() -> None:
    server = Server(json.loads(Path(sys.argv[1]).read_text()))
    recorded = json.loads(RECORDED.read_text())
    for case in recorded:
        if len(sys.argv) == 2 or case["id"] in sys.argv[2:]:
            play(server, case)
            write(recorded)


def write(recorded: list[dict[str, Any]]) -> None:
    """Keep the file: one case a line."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in recorded)
    RECORDED.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
