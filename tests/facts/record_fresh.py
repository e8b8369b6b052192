"""Record what a control plane has that nobody has touched yet: `KUBECONFIG=... python tests/facts/record_fresh.py`.

Asks kubectl for every object but roles (see record_rbac.py), APIServices, Events, and what holds keys or is made per namespace; leaves
out what differs from run to run, and writes tests/facts/fresh.json.xz. `compile_data.py` makes the table of the standing objects of it.
"""

from __future__ import annotations

import json
import lzma
import subprocess
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "fresh.json.xz"
KINDS = (
    "configmaps,endpoints,serviceaccounts,leases,clustertrustbundles,ipaddresses,servicecidrs,componentstatuses,flowschemas,"
    "prioritylevelconfigurations,priorityclasses"
)
ASK = ("kubectl", "get", KINDS, "-A", "-o", "json", "--show-managed-fields")
PASSING = ("uid", "resourceVersion", "creationTimestamp")


def lasting(obj: dict[str, Any]) -> dict[str, Any]:
    """Return an object without what differs from run to run."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in PASSING}
    if "managedFields" in meta:
        meta["managedFields"] = [
            {key: value for key, value in one.items() if key != "time"} for one in meta["managedFields"]
        ]
    return {**obj, "metadata": meta}


def main() -> None:
    """Write the recording."""
    listed = json.loads(subprocess.run(ASK, check=True, capture_output=True, text=True).stdout)["items"]
    text = json.dumps({"items": [lasting(obj) for obj in listed]}, sort_keys=True, separators=(",", ":"))
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
