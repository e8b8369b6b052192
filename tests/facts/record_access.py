"""Record `access.jsonl` (who may do what, and what admission says) anew from a real control plane.

    python tests/facts/record_access.py KUBECONFIG [--check | MORE.jsonl]

Plays the recorded cases, or those of a file of new ones (JSON lines without `expect`), by the very code that replays them
(tests/api/test_facts_replay.py), so both sides are made comparable alike. With `--check` nothing is written: it says what a real server
answers otherwise now. The server's controllers run; the kubeconfig holds a token, as the rig's does (JSON).
"""

from __future__ import annotations

import importlib.util
import json
import lzma
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HERE = Path(__file__).parent
FILE = HERE / "access.jsonl.xz"
sys.path.insert(0, str(HERE.parents[1]))


def module(path: Path) -> Any:
    """Return a module by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


class Reply:
    """An answer as the replaying code reads it."""

    begun = None

    def __init__(self, code: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.code = self.status = code
        self.response = self
        self._headers, self.body = headers, body

    @property
    def headers(self) -> Any:
        return Listed(self._headers)


class Listed(list[Any]):
    """Headers as pairs, that also answer by name."""

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self if key == name), default)


class Real:
    """A real server in the place of the world of the tests."""

    def __init__(self, kubeconfig: dict[str, Any], registry: Any) -> None:
        self.server = kubeconfig["clusters"][0]["cluster"]["server"]
        self.token = kubeconfig["users"][0]["user"]["token"]
        self.api = self.context = self
        self.registry = registry
        self.tls = ssl._create_unverified_context()
        self.made: list[str] = []

    def run(self, ms: int) -> None:
        """Let time pass."""
        time.sleep(ms / 1000)

    def call(self, method: str, path: str, body: Any = None, *, headers: Any = None, raw: Any = None, query: Any = (), **more: str) -> Reply:  # fmt: skip
        """Send one request as the administrator."""
        sent: dict[str, Any] = {"Authorization": f"Bearer {self.token}", "User-Agent": "facts/v1 (linux/amd64)"}
        if body is not None or raw is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        url = self.server + path + "?" + urlencode([*query, *more.items()])
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        kept = {key: value for key, value in sent.items() if value is not None}
        request = urllib.request.Request(url.rstrip("?"), data, kept, method=method)
        try:
            answer = urllib.request.urlopen(request, context=self.tls)
        except urllib.error.HTTPError as error:
            answer = error
        got = answer.read()
        if method == "POST" and answer.status == 201 and answer.headers["Content-Type"] == "application/json":
            name = (json.loads(got).get("metadata") or {}).get("name")
            if name and not path.endswith(("/token", "/binding", "/eviction")) and "review" not in path:
                self.made.append(f"{path}/{name}")
        known = {"Www-Authenticate": "WWW-Authenticate"}
        return Reply(answer.status, [(known.get(key, key), value) for key, value in answer.headers.items()], got)

    def clean(self) -> None:
        """Delete what was made."""
        for path in reversed(self.made):
            free = {"Content-Type": "application/merge-patch+json"}
            if "persistentvolume" in path:
                self.call("PATCH", path, {"metadata": {"finalizers": None}}, headers=free)
            self.call("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
        self.made = []


def lines_of(text: str) -> dict[str, Any]:
    """Return cases by id."""
    return {case["id"]: case for case in map(json.loads, text.splitlines())}


def played(replay: Any, real: Real, case: dict[str, Any]) -> dict[str, Any]:
    """Return a case with what the server answers."""
    asked = {key: value for key, value in case.items() if key != "expect"}
    try:
        return {**asked, "expect": replay.quiet(asked, replay.Case(real, asked).play())}
    finally:
        real.clean()


def main(kubeconfig: str, more: str = "") -> int:
    """Record the cases, or say which are answered otherwise."""
    from kit.kube import kinds

    replay = module(HERE.parent / "api" / "test_facts_replay.py")
    known = lines_of(lzma.decompress(FILE.read_bytes()).decode())
    wanted = lines_of(Path(more).read_text()) if more not in {"", "--check"} else known
    real = Real(json.loads(Path(kubeconfig).read_text()), kinds.builtin())
    differing = 0
    for id, case in wanted.items():
        found = played(replay, real, case)
        wrong = replay.compare(case, found["expect"]) if "expect" in case else ["new"]
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
