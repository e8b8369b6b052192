"""Record how Go sees a Pod template: `python tests/facts/record_gotypes.py`.

Runs tests/facts/gotypes/main.go (Go 1.26 or newer, and the modules k8s.io/api and k8s.io/apimachinery of the recorded version) in a
folder of its own and writes three files of tests/facts:

- gotypes.json.xz: names, types and order of the fields of all that a PodTemplateSpec reaches; `compile_data.py` makes the table of it.
- gofields.json.xz: of all kinds the fields that Go's complaints name otherwise than the schema says (see gotypes/fields.go).
- filled.jsonl.xz: templates with any field set, as no API server would take them, and the hash that Go makes of each.

With `hash` it passes templates, `{"template", "collisions"}` each, from standard input to the program and prints dumps and hashes.
"""

from __future__ import annotations

import json
import lzma
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from compile_data import FACTS, compact, read

MODULES = ("k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver", "k8s.io/kube-aggregator")
SHARES = (1.0, 1.0, 0.8, 0.5, 0.5, *(0.3,) * 10, *(0.1,) * 10)  # of the fields that a template has
# What a value of a type is chosen from: quantities as the API server writes them.
VALUES: dict[str, tuple[Any, ...]] = {
    "string": ("", "a", "x y", "Ünï ☃ 𐍈", '<b>&"\\', "two\nlines\t", "[]", "<nil>"),
    "bool": (True, True, False),
    **dict.fromkeys(("int", "int32", "int64"), (0, 1, -1, 30, 65535, 2**31 - 1)),
    "v1.Time": (None, "2020-01-02T03:04:05Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"),
    "v1.FieldsV1": ({}, {"f:a": {".": {}, "f:ü": {}}}),
    "intstr.IntOrString": (0, 80, "", "http", "50%"),
    "resource.Quantity": (
        "0", "1", "-1", "100m", "1500m", "1.123", "500m", "+5", "05", "7", "8", "1k", "1e3", "1E3", "10e3", "12E", "12345678901234567890", "1n",
        "-3u", "64Mi", "100Mi", "1Gi", "1001Ki", "3Ti", "100Ti", "1Pi", "7Ei", "9223372036854775807", "129e6", "123456789012345678901k",
    ),
}  # fmt: skip


def built(folder: Path) -> tuple[str, ...]:
    """Build the program against the recorded version's modules."""
    version = str(read("schema.json")["kubernetes"]).replace("v1.", "v0.")
    for source in ("main.go", "fields.go"):
        shutil.copy(FACTS / "gotypes" / source, folder)
    needed = "\n".join(f"\t{module} {version}" for module in MODULES)
    (folder / "go.mod").write_text(f"module gotypes\n\ngo 1.26\n\nrequire (\n{needed}\n)\n", "utf-8")
    environment = {**os.environ, "GOFLAGS": "-mod=mod"}
    subprocess.run(("go", "build", "-o", "gotypes", "."), cwd=folder, env=environment, check=True)
    return "env", "TZ=", str(folder / "gotypes")  # no zone: UTC, as in the controller manager's image


def asked(*command: str, given: bytes | None = None) -> bytes:
    """Return what a command prints."""
    return subprocess.run(command, input=given, check=True, stdout=subprocess.PIPE).stdout


def filled(types: dict[str, Any], name: str, share: float, chance: random.Random) -> Any:
    """Return a value of a type as JSON, a struct with that share of its fields."""
    if name in VALUES:
        return chance.choice(VALUES[name])
    if name.startswith("*"):
        return filled(types, name[1:], share, chance)
    if name.startswith("[]"):
        return [filled(types, name[2:], share, chance) for _ in range(chance.randrange(3))]
    if name.startswith("map["):
        keys = [chance.choice(VALUES["string"]) + str(number) for number in range(chance.randrange(4))]
        return {key: filled(types, name.partition("]")[2], share, chance) for key in keys}
    if name in types["named"]:
        return filled(types, types["named"][name], share, chance)
    out: dict[str, Any] = {}
    for _, key, kind in types["structs"][name]:
        value = filled(types, kind, share, chance) if not key or chance.random() < share else None
        out |= {key: value} if key and value is not None else value if not key else {}
    return out


def main() -> None:
    """Write the recordings, or hash what standard input holds."""
    with tempfile.TemporaryDirectory() as name:
        program = built(Path(name))
        if "hash" in sys.argv:
            sys.stdout.buffer.write(asked(*program, "hash", given=sys.stdin.buffer.read()))
            return
        types = asked(*program, "types")
        (FACTS / "gotypes.json.xz").write_bytes(lzma.compress(types, preset=9))
        (FACTS / "gofields.json.xz").write_bytes(lzma.compress(asked(*program, "fields"), preset=9))
        chance, table = random.Random(1), json.loads(types)
        cases = [
            {
                "template": filled(table, "v1.PodTemplateSpec", share, chance),
                "collisions": chance.choice((None, 0, 1, 7)),
            }
            for share in SHARES
        ]
        told = asked(*program, "hash", given="\n".join(map(compact, cases)).encode()).splitlines()
        lines = [compact({**case, "hash": json.loads(line)["hash"]}) for case, line in zip(cases, told, strict=True)]
        (FACTS / "filled.jsonl.xz").write_bytes(lzma.compress("\n".join(lines).encode(), preset=9))


if __name__ == "__main__":
    main()
