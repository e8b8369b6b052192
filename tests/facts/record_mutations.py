"""Record `mutations.jsonl` from a real control plane: what it says of valid objects that were spoiled at random.

    python tests/facts/record_mutations.py KUBECONFIG

The objects are those of `defaulting.jsonl`; seed and count are fixed, so the cases are the same each time. Dry runs: nothing is kept.
"""

from __future__ import annotations

import copy
import json
import lzma
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compile_data import FACTS
from record_access import RealServer, lines_of, played

SEED, COUNT = 37, 2500
FILE = FACTS / "mutations.jsonl.xz"
ODD: tuple[Any, ...] = (
    "", None, -1, 0, 1, True, "x" * 300, "A_B", "a.b/c", {}, [], {"a": "b"}, [1], "1.5", "100Mi", "-5m", 2**31, 2**63, 1.5, " lead",
    "é", "a\nb", "*", "0", "[]",
)  # fmt: skip
ENDS = ("-", ".", "/x", " ", "1")
STRICTNESS = ({}, {"fieldValidation": "Strict"}, {"fieldValidation": "Warn"}, {"fieldManager": "m"})
FIXED = (("kind",), ("apiVersion",))  # which collection a body is posted to is not the question
UNORDERED = {"SelfSubjectRulesReview"}  # in which order rules of several roles are told is chance

Path_ = tuple[str | int, ...]


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Yield where every part of a value is."""
    yield at
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*at, key))


def spoil(obj: Any, chance: random.Random) -> None:
    """Drop, replace, add, repeat or bend one part."""
    found = [at for at in places(obj) if at and at not in FIXED]
    if not found:
        return
    *above, key = chance.choice(found)
    holder = obj
    for step in above:
        holder = holder[step]
    part, how = holder[key], chance.choice(("drop", "odd", "odd", "odd", "unknown", "repeat", "bend"))
    if how == "drop":
        del holder[key]
    elif how == "odd":
        holder[key] = copy.deepcopy(chance.choice(ODD))
    elif how == "unknown" and (isinstance(part, dict) or isinstance(holder, dict)):
        (part if isinstance(part, dict) else holder)["bogus"] = copy.deepcopy(chance.choice(ODD))
    elif how == "repeat" and isinstance(holder, list):
        holder.append(copy.deepcopy(part))
    elif how == "bend" and isinstance(part, str) and part:
        holder[key] = part.upper() if chance.random() < 0.5 else part + chance.choice(ENDS)


def cases(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield cases without what is expected."""
    chance = random.Random(seed)
    known = list(lines_of(lzma.decompress((FACTS / "defaulting.jsonl.xz").read_bytes()).decode()).values())
    for number in range(count):
        request = copy.deepcopy(chance.choice(known)["request"])
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            spoil(request["body"], chance)
        request["query"] = {"dryRun": "All", **chance.choice(STRICTNESS)}
        kind = request["body"].get("kind", "")
        order = {"unordered": True} if kind in UNORDERED else {}
        yield {"id": f"mut-{number:04}-{kind.lower()}", "request": request, **order}


def main(kubeconfig: str) -> None:
    """Record all cases."""
    real = RealServer(json.loads(Path(kubeconfig).read_text()))
    found = [played(real, case) for case in cases(SEED, COUNT)]
    text = "".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) + "\n" for case in found)
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main(*sys.argv[1:])
