"""Record what a real API server says about its fields: `KUBECONFIG=... python tests/facts/record_descriptions.py`.

Asks kubectl, on a cluster without custom resources, for every OpenAPI v3 document, and writes the descriptions of definitions and
fields to tests/facts/descriptions.json.xz; `compile_data.py` makes the table of it that `kubectl explain` is answered from.
"""

from __future__ import annotations

import json
import lzma
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "descriptions.json.xz"


def get(path: str) -> Any:
    """Return what the API server answers on a path."""
    return json.loads(
        subprocess.run(("kubectl", "get", "--raw", path), check=True, capture_output=True, text=True).stdout
    )


def definitions() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and schema of all definitions of all documents."""
    for one in get("/openapi/v3")["paths"].values():
        yield from get(one["serverRelativeURL"]).get("components", {}).get("schemas", {}).items()


def texts(schema: Mapping[str, Any]) -> dict[str, str]:
    """Return the descriptions of a definition: its own under "", those of its fields by name."""
    parts = {"": schema, **schema.get("properties", {})}
    return {name: part["description"] for name, part in sorted(parts.items()) if part.get("description")}


def main() -> None:
    """Write the recording."""
    found = {name: said for name, schema in sorted(dict(definitions()).items()) if (said := texts(schema))}
    text = json.dumps({"kubernetes": get("/version")["gitVersion"], "definitions": found}, separators=(",", ":"))
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
