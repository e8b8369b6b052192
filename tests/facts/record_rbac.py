"""Record the roles and bindings that a real API server makes for itself: `KUBECONFIG=... python tests/facts/record_rbac.py`.

Asks kubectl, on a cluster that nobody has touched yet, for everything labelled `kubernetes.io/bootstrapping`, leaves out what differs
from run to run and what the aggregation controller fills in, and writes tests/facts/rbac.json.xz; `compile_data.py` makes the table of it.
"""

from __future__ import annotations

import json
import lzma
import subprocess
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "rbac.json.xz"
KINDS = "clusterroles,clusterrolebindings,roles,rolebindings"
ASK = ("kubectl", "get", KINDS, "-A", "-l", "kubernetes.io/bootstrapping", "-o", "json", "--show-managed-fields")
PASSING = ("uid", "resourceVersion", "creationTimestamp")


def lasting(obj: dict[str, Any]) -> dict[str, Any]:
    """Return an object as the API server itself wrote it, without what differs from run to run."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in PASSING}
    own = [entry for entry in meta["managedFields"] if entry["manager"] == "kube-apiserver"]
    meta["managedFields"] = [{key: value for key, value in entry.items() if key != "time"} for entry in own]
    out = {**obj, "metadata": meta}
    return {**out, "rules": None} if "aggregationRule" in obj else out


def main() -> None:
    """Write the recording."""
    listed = json.loads(subprocess.run(ASK, check=True, capture_output=True, text=True).stdout)["items"]
    text = json.dumps({"items": [lasting(obj) for obj in listed]}, sort_keys=True, separators=(",", ":"))
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
