"""The kind release that `labkit doctor --install kind` fetches: where from, and the SHA-256 of each system's file.

Written by `python -m kit.providers.kindrelease v0.33.0`, which reads the checksums that the release itself publishes.
"""

from __future__ import annotations

import importlib.resources
import json
import platform
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import Unavailable

TABLE = "kind.json"
SYSTEMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
SOURCE = "https://kind.sigs.k8s.io/dl"


@dataclass(frozen=True)
class Release:
    """One file of a release: its version, its path below the source, and its SHA-256."""

    version: str
    source: str
    path: str
    sha256: str

    def url(self, mirror: str = "") -> str:
        """Return where it is (`mirror`: another server with the same paths)."""
        return f"{(mirror or self.source).rstrip('/')}/{self.path}"


def release(system: str = sys.platform, machine: str | None = None) -> Release:
    """Return the file for a system; Unavailable when kind is not published for it."""
    table = json.loads((importlib.resources.files("kit") / "data" / TABLE).read_text(encoding="utf-8"))
    name = f"{system}-{MACHINES.get((machine or platform.machine()).lower(), machine or platform.machine())}"
    if name not in table["sha256"]:
        raise Unavailable(f"kind is not published for {name}", f"it is for {', '.join(table['sha256'])}")
    return Release(table["version"], table["source"], f"{table['version']}/kind-{name}", table["sha256"][name])


def published(version: str, source: str = SOURCE) -> dict[str, Any]:
    """Return the table of a release, from the checksum files beside its programs."""
    found: dict[str, str] = {}
    for name in SYSTEMS:
        with urllib.request.urlopen(f"{source}/{version}/kind-{name}.sha256sum", timeout=30) as answer:  # noqa: S310
            found[name] = answer.read().decode("ascii").split()[0]
    return {"version": version, "source": source, "sha256": found}


def write(table: Mapping[str, Any], path: Path) -> None:
    """Write the table as it stands in the package."""
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(published(sys.argv[1]), Path(__file__).resolve().parents[1] / "data" / TABLE)
