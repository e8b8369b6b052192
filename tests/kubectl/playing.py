"""Plays a recorded transcript with the real kubectl: a prepared world or a namespace of its own, commands in a shell."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

import transcripts

Obj = dict[str, Any]
DEADLINE_S = 20
BRIEF_S = 3  # for what is known to miss, and for clearing up: they may wait for what nobody does
BETWEEN_S = 0.7
RESTARTED = "kubectl.kubernetes.io/restartedAt"  # a time in the template
HASHED = ("replicasets.apps", "controllerrevisions.apps")


class Player:
    """Plays cases against one server. `worlds` are the objects that looking-only cases look at."""

    def __init__(self, server: Any, worlds: Mapping[str, list[Obj]], folder: Path) -> None:
        self.server, self.worlds, self.folder = server, worlds, folder
        self._made: set[str] = set()
        self._lock = threading.Lock()
        (folder / "bin").mkdir()
        (folder / "bin" / "kubectl").symlink_to(Path(sys.executable).parent / "kubectl")

    def differences(self, case: Obj, *, brief: bool = False) -> str:
        """Return how what a case prints differs from what was recorded; empty when it does not. `brief` stops at the first difference."""
        commands = [step["command"] for step in map(_step, case["commands"]) if "command" in step]
        want: list[str] = []
        got: list[str] = []
        with contextlib.closing(self.play(case, BRIEF_S if brief else DEADLINE_S)) as results:
            for command, recorded, raw, here in zip(commands, case["expect"], case["raw"], results, strict=True):
                want += [*_shown(command, transcripts.comparable(case, recorded)).split("\n"), *_counted(here, raw)]
                got += [*_shown(command, transcripts.comparable(case, here)).split("\n"), *_counted(here, here["raw"])]
                if brief and want != got:
                    break
        return "\n".join(unified_diff(want, got, "recorded", "here", lineterm="", n=1))

    def play(self, case: Obj, deadline_s: float = DEADLINE_S) -> Iterator[Obj]:
        """Play a case; yield stdout, stderr and code of each command, normalised, what was printed, and the hashes in it."""
        given = json.dumps({key: value for key, value in case.items() if key not in ("expect", "raw")})
        space = case.get("world") or "k-" + hashlib.sha256(case["id"].encode()).hexdigest()[:6]
        if case.get("world"):
            given += json.dumps(self.worlds[space])
            self._world(space)
        else:
            self._namespace(space)
        place = self._place(case, space)
        env = self._environment(place, case)
        try:
            yield from Run(self, case, space, place, env, given, deadline_s).results()
        finally:
            for command in case.get("cleanup", []):
                _quietly(command.replace("{ns}", space), place, env)
            if not case.get("world"):
                self.server.call("DELETE", f"/api/v1/namespaces/{space}")

    def _namespace(self, name: str) -> None:
        self.server.ask(
            "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
        end = time.monotonic() + 10
        while not self.server.objects(("serviceaccounts",), name):
            assert time.monotonic() < end, "no ServiceAccount"
            time.sleep(0.02)

    def _world(self, name: str) -> None:
        """Make a world once."""
        with self._lock:
            if name in self._made:
                return
            self._made.add(name)
            self._namespace(name)
            self.refused: dict[str, Any] = {}
            for obj in self.worlds[name]:
                if "sleep" in obj:
                    time.sleep(obj["sleep"])
                    continue
                code, body = self.server.create(obj, name)
                if code >= 400:
                    self.refused[f"{obj['kind']}/{obj['metadata']['name']}"] = body
            self.server.settle(name, 2.5, 30)

    def _place(self, case: Obj, space: str) -> Path:
        place = self.folder / case["id"]
        place.mkdir()
        for name, text in (case.get("files") or {}).items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if name.endswith(".sh"):
                path.chmod(0o755)
        config = json.loads(self.server.credentials.kubeconfig(self.server.url, place / ".kubeconfig").read_text())
        config["clusters"][0]["name"], config["users"][0]["name"] = "facts", "admin"
        config["contexts"] = [{"name": "facts", "context": {"cluster": "facts", "user": "admin", "namespace": space}}]
        config["current-context"] = "facts"
        (place / ".kubeconfig").write_text(json.dumps(config))
        return place

    def _environment(self, place: Path, case: Obj) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        plain = {"GOGC": "off", "TERM": "dumb", "LANG": "C.UTF-8", "COLUMNS": "200", "HOME": str(home)}
        path = f"{self.folder / 'bin'}:/usr/bin:/bin"
        return {**plain, "PATH": path, "KUBECONFIG": str(place / ".kubeconfig"), **case.get("env", {})}


class Run:
    """One case being played."""

    def __init__(
        self, player: Player, case: Obj, space: str, place: Path, env: dict[str, str], given: str, deadline_s: float
    ) -> None:
        self.server, self.folder, self.deadline_s = player.server, player.folder, deadline_s
        self.case, self.space, self.place, self.env, self.given = case, space, place, env, given
        self.names: dict[str, str] = {} if case.get("world") else {space: "<namespace>"}

    def results(self) -> Iterator[Obj]:
        """Run the commands one after the other."""
        for step in map(_step, self.case["commands"]):
            if step.get("settle"):
                self.server.settle(self.space)
                continue
            self._pods()
            out, err, code = self._shell(step)
            if "--wait=false" in step["command"]:  # the recorded kubectl took longer to start than a Pod to go
                self.server.settle(self.space, 0.5)
            self._pods()
            hashes, folders = self._hashes(), (str(self.place), str(self.folder))
            names = {**self.names, **dict.fromkeys(hashes, "<hash>")}
            texts = [transcripts.clean(text, self.given, names, folders) for text in (out, err)]
            code = None if step.get("seconds") else code
            raw = {"stdout": out, "stderr": err}
            yield {"stdout": texts[0], "stderr": texts[1], "code": code, "raw": raw, "hashes": hashes}

    def _shell(self, step: Obj) -> tuple[str, str, int]:
        command = step["command"].replace("{ns}", self.space)
        child = subprocess.Popen(
            ["/bin/sh", "-c", command], cwd=self.place, env=self.env, text=True, start_new_session=True,
            stdin=subprocess.PIPE if "stdin" in step else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        side = threading.Thread(target=self._during, args=(step, child))
        side.start()
        try:
            out, err = child.communicate(step.get("stdin"), timeout=self.deadline_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            err += "\n(did not end)"
        side.join()
        return out, err, child.returncode

    def _during(self, step: Obj, child: subprocess.Popen[str]) -> None:
        """Act while a command runs, and stop it."""
        if not step.get("seconds"):
            return
        for command in step.get("during", []):
            time.sleep(BETWEEN_S)
            _quietly(command.replace("{ns}", self.space), self.place, self.env)
        time.sleep(step["seconds"])
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)

    def _hashes(self) -> dict[str, bool]:
        """Return the hashes of the templates there are, and whether a real cluster's must be the same."""
        found: dict[str, bool] = {}
        for one in self.server.objects(HASHED, self.space):
            labels = one["metadata"].get("labels") or {}
            hash = labels.get("pod-template-hash") or labels.get("controller-revision-hash")
            if hash:
                found[hash.rsplit("-", 1)[-1]] = RESTARTED not in json.dumps(one)
        return found

    def _pods(self) -> None:
        """Note the names of Pods that the cluster made up."""
        for pod in self.server.objects(("pods",), self.space):
            base, name = pod["metadata"].get("generateName"), pod["metadata"]["name"]
            if base and re.fullmatch(f"[{transcripts.SUFFIX}]{{5}}", name[len(base) :]):
                self.names[name] = base + "<rand5>"


def _quietly(command: str, place: Path, env: dict[str, str]) -> None:
    """Run a command whose output does not count."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            ["/bin/sh", "-c", f"exec timeout {BRIEF_S} {_sh(command)}"],
            cwd=place,
            env=env,
            capture_output=True,
            check=False,
        )


def _sh(command: str) -> str:
    return "/bin/sh -c " + shlex.quote(command)


def _step(step: Any) -> Obj:
    return {"command": step} if isinstance(step, str) else step


def _shown(command: str, result: Mapping[str, Any]) -> str:
    return f"$ {command}\n{result['stdout']}{'--- stderr' if result['stderr'] else ''}\n{result['stderr']}\n= {result['code']}"


def _counted(result: Mapping[str, Any], raw: Mapping[str, Any]) -> list[str]:
    """Return how often a raw output has each hash of a template that `<hash>` stands for in a result."""
    text = f"{raw['stdout']}\n{raw['stderr']}"
    return [f"{hash}: {text.count(hash)}" for hash, same in sorted(result["hashes"].items()) if same]
