"""Asks a real cluster again what `recorded/typechecking.json` holds, its controller manager running, and writes its answers there.

    python tests/api/record_typechecking.py ADMIN_CONF     # a kubeconfig as JSON with a token, such as the control plane's of KUBE_RIG

A case is a name, the spec of a ValidatingAdmissionPolicy and the status that its controller gives it.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RECORDED = HERE / "recorded" / "typechecking.json"
POLICIES = runpy.run_path(str(HERE / "record_policies.py"))


def main() -> None:
    """Record every case."""
    server = POLICIES["Server"](json.loads(Path(sys.argv[1]).read_text()))
    path = POLICIES["PLACES"]["ValidatingAdmissionPolicy"]
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    recorded = json.loads(RECORDED.read_text())
    for name, spec, _ in recorded:
        server.call("POST", path, {**head, "metadata": {"name": name}, "spec": spec})
    time.sleep(8)
    for case in recorded:
        case[2] = server.call("GET", f"{path}/{case[0]}")[2].get("status")
        server.call("DELETE", f"{path}/{case[0]}")
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in recorded)
    RECORDED.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
