"""Asks a real API server again what `recorded/cel.json` holds and writes its answers there.

    python tests/api/record_cel.py ADMIN_CONF     # a kubeconfig as JSON with a token, such as the control plane's of KUBE_RIG

An expression is a variable of a policy. What does not compile is refused with its text; what the others give is shown by a warning, as
`%s` of `format` writes it, or the error with which they fail. Add an expression with the answer `null`, then run this.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded" / "cel.json"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
MAPS = "/api/v1/namespaces/default/configmaps"
OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "x", "b-c": "y"}}
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
SHOWN = re.compile(
    r"denied|Validation failed for ValidatingAdmissionPolicy '[^']*' with binding '[^']*': (.*)", re.DOTALL
)
BROKEN = re.compile(
    r"expression '.*?' resulted in error: (?:composited variable \"v(\d+)\" fails to evaluate: )?(.*)", re.DOTALL
)


def policy(name: str, texts: dict[int, str]) -> dict[str, Any]:
    """Return a policy that shows what expressions give."""
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [RULE]},
        "matchConditions": [{"name": "mine", "expression": f"object.metadata.name == {name!r}"}],
        "variables": [{"name": f"v{index}", "expression": text} for index, text in texts.items()],
        "validations": [
            {
                "expression": f"{{'': true}}['#{index}=%s'.format([variables.v{index}])]",
            }
            for index in texts
        ],
    }
    return {**head, "metadata": {"name": name}, "spec": spec}


def binding(name: str) -> dict[str, Any]:
    """Return a binding that warns."""
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding"}
    return {**head, "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Warn"]}}


def refused(body: Any) -> dict[int, str]:
    """Return what is said of variables that do not compile, by their place."""
    causes = (body.get("details") or {}).get("causes") or ()
    out: dict[int, str] = {}
    for cause in causes:
        found = re.fullmatch(r"spec\.variables\[(\d+)\]\.expression", cause["field"])
        if found:
            out[int(found[1])] = cause["message"]
    return out


def shown(warning: str) -> tuple[int, dict[str, str]] | None:
    """Return which expression a warning is about, and what it gave."""
    text = SHOWN.fullmatch(warning)
    if not text or not text[1]:
        return None
    found = re.search(r"resulted in error: no such key: #(\d+)=(.*)", text[1], re.DOTALL)
    if found:
        return int(found[1]), {"value": found[2]}
    place = re.search(r"variables\.v(\d+)", text[1])
    broken = BROKEN.fullmatch(text[1])
    return (int(place[1]), {"error": broken[2]}) if place and broken else None


class Server:
    """A real API server."""

    def __init__(self, conf: dict[str, Any]) -> None:
        self.address = conf["clusters"][0]["cluster"]["server"]
        self.token = conf["users"][0]["user"]["token"]
        self.trust = ssl._create_unverified_context()

    def call(self, method: str, path: str, body: Any = None) -> tuple[list[str], Any]:
        """Send one request; warnings and body."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                return answer.headers.get_all("Warning") or [], json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.headers.get_all("Warning") or [], json.loads(error.read())


def warned(header: str) -> str:
    """Return the text of a Warning header."""
    text = header.encode("latin-1").decode()
    return re.sub(r"\\(.)", r"\1", text.partition('"')[2].rpartition('"')[0])


def ask(server: Server, texts: list[str]) -> dict[str, Any]:
    """Return what is answered to expressions."""
    out: dict[str, Any] = {}
    good: dict[int, str] = {}
    for index, text in enumerate(texts):
        said = refused(server.call("POST", f"{POLICIES}?dryRun=All", policy("p", {0: text}))[1])
        if 0 in said:
            out[text] = {"refused": said[0]}
        else:
            good[index] = text
    plain = [one for one in good.items() if "authorizer" not in one[1]]  # two checks cost all that one expression may
    batches = [dict(plain[start : start + 8]) for start in range(0, len(plain), 8)]
    batches += [{index: text} for index, text in good.items() if "authorizer" in text]
    for number, part in enumerate(batches):
        body = server.call("POST", POLICIES, policy(f"p{number}", part))[1]
        if body["kind"] == "Status":
            print(body["message"][:3000])
        server.call("POST", POLICIES.replace("policies", "policybindings"), binding(f"p{number}"))
    time.sleep(4)
    for number, part in enumerate(batches):
        obj = {**OBJECT, "metadata": {"name": f"p{number}"}}
        for found in map(shown, map(warned, server.call("POST", f"{MAPS}?dryRun=All", obj)[0])):
            if found:
                out[part[found[0]]] = found[1]
    for number in range(len(batches)):
        server.call("DELETE", f"{POLICIES.replace('policies', 'policybindings')}/p{number}")
        server.call("DELETE", f"{POLICIES}/p{number}")
    return out


def main() -> None:
    server = Server(json.loads(Path(sys.argv[1]).read_text()))
    recorded = json.loads(RECORDED.read_text())
    answers = ask(server, [text for text, _ in recorded])
    lines = ",\n".join(json.dumps([text, answers.get(text)], ensure_ascii=False) for text, _ in recorded)
    RECORDED.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
