"""Asks a real API server what becomes of custom resources that a webhook converts, and writes that to `recorded/conversions.json`.

    python tests/api/record_conversions.py ADMIN_CONF   # a kubeconfig as JSON with a token, as the control plane's of KUBE_RIG

The definition serves v1 (`spec.hostPort`, stored) and v2 (`spec.host`, `spec.port`). The webhook is an HTTPS server in this process; its
`mode`, set by a request of the method MODE, says how it goes wrong.
"""

from __future__ import annotations

import copy
import json
import runpy
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECORDED = HERE / "recorded" / "conversions.json"
GROUP = "example.com"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
V1, V2 = (f"/apis/{GROUP}/{version}/namespaces/default/hosts" for version in ("v1", "v2"))
OK = {"status": "Success"}


def definition(url: str, bundle: str) -> dict[str, Any]:
    """Return the definition."""

    def version(name: str, **fields: str) -> dict[str, Any]:
        spec = {"type": "object", "properties": {key: {"type": kind} for key, kind in fields.items()}}
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
        parts = {"status": {}} if name == "v1" else {}
        return {"name": name, "served": True, "storage": name == "v1", "schema": schema, "subresources": parts}

    client = {"url": url, "caBundle": bundle}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"hosts.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": "hosts", "singular": "host", "kind": "Host"},
            "versions": [version("v1", hostPort="string"), version("v2", host="string", port="string")],
            "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}},
        },
    }  # fmt: skip


def converted(obj: dict[str, Any], desired: str) -> dict[str, Any]:
    """Return an object in the other version."""
    out = copy.deepcopy(obj)
    out["apiVersion"], spec = desired, out.pop("spec", {})
    if desired.endswith("v2"):
        host, _, port = str(spec.get("hostPort", "")).partition(":")
        out["spec"] = {"host": host, "port": port}
    else:
        out["spec"] = {"hostPort": f"{spec.get('host', '')}:{spec.get('port', '')}"}
    return out


def _with(name: str, value: Any) -> Any:
    return lambda obj: {**obj, name: value}


def _meta(name: str, value: Any) -> Any:
    return lambda obj: {**obj, "metadata": {**obj["metadata"], name: value}}


ODD: dict[str, Any] = {  # mode -> what is done to each converted object
    "version": _with("apiVersion", "example.com/v3"),
    "kind": _with("kind", "Other"),
    "name": _meta("name", "other"),
    "uid-of-object": _meta("uid", "other"),
    "labels": _meta("labels", {"by": "webhook"}),
    "finalizers": _meta("finalizers", ["a.example.com/b"]),
    "invalid": _with("spec", {"hostPort": 5, "host": 5}),
    "unknown-fields": _with("spec", {"hostPort": "h:1", "host": "h", "port": "1", "more": "x"}),
}


def response(mode: str, review: dict[str, Any]) -> tuple[int, bytes]:
    """Return the code and the bytes of the answer to a review."""
    asked = review["request"]
    objects = [converted(obj, asked["desiredAPIVersion"]) for obj in asked["objects"]]
    objects = [ODD[mode](obj) for obj in objects] if mode in ODD else objects
    body: dict[str, Any] = {"uid": asked["uid"], "convertedObjects": objects, "result": OK}
    changed: dict[str, dict[str, Any]] = {
        "uid": {"uid": "other"},
        "fewer": {"convertedObjects": objects[1:]},
        "failed": {"result": {"status": "Failed", "message": "can't convert this"}},
        "failed-silently": {"result": {"status": "Failed"}},
        "no-result": {"result": {}},
        "nothing": {"convertedObjects": None},
    }
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"}
    whole: dict[str, dict[str, Any]] = {
        "no-response": head,
        "other-kind": {**head, "kind": "Other", "response": body},
        "other-version": {**head, "apiVersion": "apiextensions.k8s.io/v1beta1", "response": body},
    }
    if mode in ("code-500", "not-json", "empty"):
        return (500, b"it broke") if mode == "code-500" else (200, b"" if mode == "empty" else b"hello")
    out = whole.get(mode) or {**head, "response": {**body, **changed.get(mode, {})}}
    return 200, json.dumps(out).encode()


def host(name: str, version: str = "v1", **spec: str) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/{version}", "kind": "Host", "metadata": {"name": name}, "spec": spec}


MODES = ("uid", "fewer", "failed", "failed-silently", "no-result", "nothing", "no-response", "other-kind", "other-version", "code-500",
         "not-json", "empty", *ODD)  # fmt: skip
Asked = tuple[str, str, Any]


def requests() -> list[Asked]:
    """Return what is asked, in order."""
    asked: list[Asked] = [
        ("POST", V1, host("a", hostPort="x:1")),
        ("GET", f"{V1}/a", None),
        ("GET", f"{V2}/a", None),
        ("POST", V2, host("b", "v2", host="y", port="2")),
        ("GET", f"{V1}/b", None),
        ("GET", V2, None),
        ("GET", V1, None),
        ("PUT", f"{V2}/b", host("b", "v2", host="y", port="99")),
        ("GET", f"{V1}/b", None),
        ("POST", V2, host("a", "v2", host="y", port="2")),
        ("GET", f"{V2}/none", None),
        ("DELETE", f"{V2}/b", None),
    ]
    for mode in MODES:
        asked += [("MODE", mode, None), ("GET", f"{V2}/a", None), ("GET", V2, None), ("POST", V2, host("c", "v2", host="z", port="3")),
                  ("GET", f"{V1}/a", None), ("MODE", "", None), ("DELETE", f"{V1}/c", None)]  # fmt: skip
    return asked


def main() -> None:
    policies = runpy.run_path(str(HERE / "record_policies.py"))
    webhooks = runpy.run_path(str(HERE / "record_webhooks.py"))
    server = policies["Server"](json.loads(Path(sys.argv[1]).read_text()))
    mode = [""]

    class Replies(dict[str, Any]):
        def __missing__(self, path: str) -> Any:
            return {}

    hooks = webhooks["Hooks"]()
    hooks.replies = Replies()
    webhooks["Hooks"].__init__.__globals__["replied"] = lambda reply, review: response(mode[0], review)
    server.call("POST", CRDS, definition(f"{hooks.base}/convert", hooks.bundle))
    time.sleep(3)
    out = []
    for method, path, body in requests():
        if method == "MODE":
            mode[0] = path
            continue
        hooks.sent.clear()
        if method == "PUT":
            body["metadata"]["resourceVersion"] = server.call("GET", path)[2]["metadata"]["resourceVersion"]
        code, _, said = server.call(method, path, *([body] if body is not None else []))
        out.append([method, path, code, said])
    server.call("DELETE", f"{CRDS}/hosts.{GROUP}")
    text = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in out)
    RECORDED.write_text(f"[\n{text}\n]\n".replace(hooks.base, "https://127.0.0.1:9"))


if __name__ == "__main__":
    main()
