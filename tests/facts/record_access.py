"""Record `access.jsonl` (who may do what, and what admission says) anew from a real control plane.

    python tests/facts/record_access.py KUBECONFIG [--check | MORE.jsonl]

Plays the recorded cases, or those of a file of new ones (JSON lines without `expect`), by the very code that replays them
(tests/api/replaying.py), so both sides are made comparable alike. With `--check` nothing is written: it says what a real server
answers otherwise now. The server's controllers run; the kubeconfig holds a token, as the rig's does (JSON).
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE = HERE / "access.jsonl.xz"
sys.path.insert(0, str(HERE.parent / "api"))

import replaying  # noqa: E402
from realserver import RealServer  # noqa: E402


def lines_of(text: str) -> dict[str, Any]:
    """Return cases by id."""
    return {case["id"]: case for case in map(json.loads, text.splitlines())}


def played(real: RealServer, case: dict[str, Any]) -> dict[str, Any]:
    """Return a case with what the server answers."""
    asked = {key: value for key, value in case.items() if key != "expect"}
    with real.tidy():
        return {**asked, "expect": replaying.quiet(asked, replaying.Case(real, asked).play())}


def main(kubeconfig: str, more: str = "") -> int:
    """Record the cases, or say which are answered otherwise."""
    known = lines_of(lzma.decompress(FILE.read_bytes()).decode())
    wanted = lines_of(Path(more).read_text()) if more not in {"", "--check"} else known
    real = RealServer(json.loads(Path(kubeconfig).read_text()))
    differing = 0
    for id, case in wanted.items():
        found = played(real, case)
        wrong = replaying.compare(case, found["expect"]) if "expect" in case else ["new"]
        differing += bool(wrong)
        if wrong:
            print(id, found["expect"]["code"], *wrong[:3], sep="\n    ", flush=True)
        known[id] = found
    print(f"{len(wanted) - differing}/{len(wanted)} as recorded")
    if more == "--check":
        return int(differing > 0)
    text = "".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) + "\n" for case in known.values())
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
