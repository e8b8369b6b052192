"""kubectl as far as the kubelet's recordings call it, on a cluster in process: asks what kubectl asks, in virtual time.

Compared is what the cluster answers (tables, logs, streams, refusals). What kubectl makes up on its own (describe, rollout,
events) is proven with the real one in tests/kubectl; here such a command only acts, and its output is None.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

from calls import JSON_MERGE, MERGE, Ran, Words
from templates import printed
from upkeep import Upkeep
from whole import Obj, Stream, Whole

TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
PATIENCE_MS = 120_000
BANNER = (
    "All commands and output from this session will be recorded in container logs, including credentials and sensitive information "
    "passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n"
)
NO_TTY = "Unable to use a TTY - input is not a terminal or the right kind of file\n"
FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely.\n"
)


class Kubectl(Upkeep):
    """The command. `files` is the folder it stands in."""

    def __init__(self, whole: Whole) -> None:
        super().__init__(whole)
        self.files: dict[str, bytes] = {}

    def run(self, argv: list[str], stdin: bytes, timeout_ms: int | None) -> Ran:
        """Run `kubectl ARGV`."""
        words = Words(argv[1:])
        commands: Mapping[str, Callable[[Words, bytes, int | None], Ran]] = {
            "get": self._get, "logs": self._logs, "exec": self._exec, "delete": self._delete, "set": self._set, "run": self._run,
            "rollout": self._rollout, "cp": self._cp, "attach": self._attach, "port-forward": self._forward, "patch": self._patch,
            "label": self._label, "describe": self._silent, "events": self._silent, "top": self._silent, "taint": self._taint,
            "cordon": self._cordon, "uncordon": self._uncordon, "drain": self._drain, "wait": self._wait, "debug": self._debug,
        }  # fmt: skip
        return commands[argv[0]](words, stdin, timeout_ms)

    def _silent(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        return None, "", None

    # --- looking ---

    def _get(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        output, kinds = words.get("-o") or "", words.rest[0].split(",")
        if output.startswith("jsonpath=") and len(words.rest) == 2:
            return self._template(words, output.removeprefix("jsonpath="))
        if output not in ("", "wide") or ("events" in kinds and words.get("-n") is None):
            return None, "", None  # the events of the case's namespace are compared as its watch saw them
        texts, warned = [], ""
        for kind in kinds:
            text, fault, code = self._table(kind, words, wide=output == "wide", prefixed=len(kinds) > 1)
            if code:
                return text, fault, code
            texts, warned = [*texts, *([text] if text else [])], warned + fault
        return "\n".join(texts), warned, 0

    def _resource(self, word: str) -> Any:
        found = self.whole.api.context.registry.find(word)
        assert found is not None, word
        return found

    def _table(self, word: str, words: Words, *, wide: bool, prefixed: bool) -> tuple[str, str, int]:
        resource = self._resource(word)
        place = str(resource.collection(words.get("-n") or self.whole.space))
        query = [("fieldSelector", fields)] if (fields := words.get("--field-selector")) else []
        code, body, headers = self.whole.call("GET", "/".join([place, *words.rest[1:]]), None, TABLE, query)
        warnings = "".join(f"Warning: {value[7:-1]}\n" for key, value in headers if key == "Warning")
        if code >= 400:
            return "", _refused(body), 1
        shown = [i for i, one in enumerate(body["columnDefinitions"]) if wide or one["priority"] == 0]
        rows = [[str(body["columnDefinitions"][i]["name"]).upper() for i in shown]]
        prefix = (
            f"{resource.path.rsplit('/', 1)[-1] and resource.singular}{'.' + resource.group if resource.group else ''}/"
        )
        for row in body["rows"]:
            cells = ["<none>" if row["cells"][i] is None else str(row["cells"][i]) for i in shown]
            rows.append([(prefix if prefixed else "") + cells[0], *cells[1:]])
        widths = [max(len(row[i]) for row in rows) + 3 for i in range(len(shown))]
        lines = ["".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join(lines) + "\n" if body["rows"] else "", warnings, 0

    def _template(self, words: Words, template: str) -> Ran:
        code, value, _ = self.whole.call(
            "GET", f"{self._resource(words.rest[0]).collection(self.whole.space)}/{words.rest[1]}"
        )
        return ("", _refused(value), 1) if code >= 400 else (printed(template, value), "", 0)

    def _logs(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        name = words.rest[0]
        pod = self.whole.pod(name)
        if pod is None:
            return (
                "",
                f'error: error from server (NotFound): pods "{name}" not found in namespace "{self.whole.space}"\n',
                1,
            )
        if "--all-containers" in words.flags:
            return self._all_logs(pod)
        container, said, fault = _container(pod, words, logs=True)
        if fault:
            return "", fault, 1
        query = [("container", container)]
        query += [("previous", "true")] if "--previous" in words.flags else []
        query += [("follow", "true")] if "-f" in words.flags else []
        query += [("tailLines", str(words.get("--tail")))] if "--tail" in words.flags else []
        stream = self.whole.stream("GET", f"{self.whole.base}/pods/{name}/log", query)
        ended = self.whole.until(lambda: stream.over, timeout_ms or PATIENCE_MS)
        if stream.answer is not None and stream.answer.status >= 400:
            return "", said + _refused(json.loads(stream.answer.body)), 1
        data = stream.answer.body if stream.answer is not None else stream.data(0)
        return data.decode("utf-8", "replace"), said, 0 if ended else None

    def _all_logs(self, pod: Obj) -> Ran:
        names = [one["name"] for field in ("initContainers", "containers") for one in pod["spec"].get(field) or ()]
        ran = [self._logs(Words([pod["metadata"]["name"], "-c", name]), b"", None) for name in names]
        failed = next((one for one in ran if one[2]), None)
        return ("".join(out or "" for out, _, _ in ran), failed[1] if failed else "", failed[2] if failed else 0)

    # --- joining containers ---

    def _exec(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        name = words.rest[0].removeprefix("pod/")
        if words.argv is None and words.rest[1:]:
            text = "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
            return "", text + "See 'kubectl exec -h' for help and examples\n", 1
        if not words.argv:
            return "", "error: you must specify at least one command for the container\n", 1
        return self.joined(name, words.argv, words, stdin if "-i" in words.flags else b"", timeout_ms)

    def joined(self, name: str, argv: list[str], words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        """Run a program in a container."""
        pod = self.whole.pod(name)
        if pod is None:
            return "", f'Error from server (NotFound): pods "{name}" not found\n', 1
        if (phase := pod["status"]["phase"]) in ("Succeeded", "Failed"):
            return "", f"error: cannot exec into a container in a completed pod; current phase is {phase}\n", 1
        container, said, fault = _container(pod, words)
        if fault:
            return "", fault, 1
        said += NO_TTY if "-t" in words.flags else ""
        query = [
            ("container", container),
            *(("command", word) for word in argv),
            ("stdout", "true"),
            ("stderr", "true"),
        ]
        query += [("stdin", "true")] if "-i" in words.flags else []
        stream = self.whole.stream("GET", f"{self.whole.base}/pods/{name}/exec", query, upgrade=True)
        if not stream.over and "-i" in words.flags:
            if stdin:
                stream.ticket.on_data(0, stdin)
            stream.ticket.on_end(0)
        ended = self.whole.until(lambda: stream.over, timeout_ms or PATIENCE_MS)
        self.out = stream.data(1)
        out, fault, code = _streamed(stream)
        return out, said + fault, code if ended else None

    def _attach(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        pod = self.whole.pod(words.rest[0])
        assert pod is not None
        if (phase := pod["status"]["phase"]) in ("Succeeded", "Failed"):
            return "", f"error: cannot attach a container in a completed pod; current phase is {phase}\n", 1
        container, said, _ = _container(pod, words)
        query = [("container", container), ("stdout", "true"), ("stderr", "true")]
        stream = self.whole.stream("GET", f"{self.whole.base}/pods/{words.rest[0]}/attach", query, upgrade=True)
        ended = self.whole.until(lambda: stream.over, timeout_ms or PATIENCE_MS)
        out, fault, code = _streamed(stream)
        return out, said + BANNER + fault, code if ended else None

    def _forward(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        kind, _, name = words.rest[0].partition("/")
        code, found, _ = self.whole.call("GET", f"{self._resource(kind).collection(self.whole.space)}/{name}")
        if code >= 400:
            return "", _refused(found), 1
        phase = found["status"]["phase"]
        return "", f"error: unable to forward port because pod is not running. Current status={phase}\n", 1

    def _cp(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        source, target = words.rest
        return self._fetch(source, target) if ":" in source else self._put(source, target)

    def _put(self, source: str, target: str) -> Ran:
        name, _, path = target.partition(":")
        folder, _, last = path.rpartition("/")
        given = {key: data for key, data in self.files.items() if key == source or key.startswith(source + "/")}
        if not given:
            return "", f"error: {source} doesn't exist in local filesystem\n", 1
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for key, data in given.items():
                entry = tarfile.TarInfo(last + key.removeprefix(source))
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        argv = ["tar", "-xmf", "-", *(["-C", folder] if folder else [])]
        return self.joined(name, argv, Words(["-i"]), packed.getvalue(), None)

    def _fetch(self, source: str, target: str) -> Ran:
        name, _, path = source.partition(":")
        _, _, code = self.joined(name, ["tar", "cf", "-", path], Words([]), b"", None)
        if not self.out.strip(b"\0"):
            return "", "", 0
        with tarfile.open(fileobj=io.BytesIO(self.out), mode="r") as archive:
            for entry in archive.getmembers():
                data = archive.extractfile(entry)
                if data is not None:
                    self.files[target + entry.name.removeprefix(path.lstrip("/"))] = data.read()
        return "", "", 0 if code is not None else None  # kubectl shows what tar says only by chance

    # --- changing ---

    def _delete(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        kind, name = words.rest
        path = f"{self._resource(kind).collection(self.whole.space)}/{name}"
        force, grace = "--force" in words.flags, words.get("--grace-period")
        seconds = 1 if "--now" in words.flags else int(grace) if grace is not None else None
        if seconds == 0 and not force:
            seconds = 1
        code, body, _ = self.whole.call("DELETE", path, {} if seconds is None else {"gracePeriodSeconds": seconds})
        if code >= 400:
            return "", _refused(body), 1
        uid = (body.get("metadata") or {}).get("uid") or (body.get("details") or {}).get("uid")
        gone = lambda: (found := self.whole.pod(name)) is None or found["metadata"]["uid"] != uid  # noqa: E731
        ended = "--wait" in words.flags or force or self.whole.until(gone, timeout_ms or PATIENCE_MS)
        how = "force deleted" if force else "deleted"
        resource = self._resource(kind)
        shown = ".".join(filter(None, (resource.singular, resource.group)))
        out = f'{shown} "{name}" {how} from {self.whole.space} namespace\n'
        return out, FORCED if force else "", 0 if ended else None

    def _set(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        (kind, name), (container, image) = (
            words.rest[1].split("/"),
            words.rest[2].split("=") if len(words.rest) > 2 else ("", ""),
        )
        inner = {"spec": {"containers": [{"name": container, "image": image}]}}
        body = inner if kind == "pod" else {"spec": {"template": inner}}
        self.whole.ask("PATCH", f"{self._resource(kind).collection(self.whole.space)}/{name}", body, MERGE)
        return None, "", None

    def _patch(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        path = f"{self._resource(words.rest[0]).collection(self.whole.space)}/{words.rest[1]}"
        if words.get("--subresource"):
            path += f"/{words.get('--subresource')}"
        headers = JSON_MERGE if words.get("--type") == "merge" else MERGE
        code, body, _ = self.whole.call("PATCH", path, json.loads(str(words.get("-p"))), headers)
        kind = self._resource(words.rest[0]).singular
        return (f"{kind}/{words.rest[1]} patched\n", "", 0) if code < 400 else ("", _refused(body), 1)

    def _label(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        labels = dict(word.split("=") for word in words.rest[2:])
        path = f"{self._resource(words.rest[0]).collection(self.whole.space)}/{words.rest[1]}"
        self.whole.ask("PATCH", path, {"metadata": {"labels": labels}}, JSON_MERGE)
        return None, "", None

    def _rollout(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        path = f"/apis/apps/v1/namespaces/{self.whole.space}/deployments/{words.rest[1].partition('/')[2]}"
        if words.rest[0] == "status":
            self.whole.until(lambda: _rolled_out(self.whole.ask("GET", path)), timeout_ms or PATIENCE_MS)
        elif words.rest[0] == "undo":
            sets = self.whole.ask("GET", f"/apis/apps/v1/namespaces/{self.whole.space}/replicasets")["items"]
            sets.sort(key=lambda one: int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))
            template = sets[-2]["spec"]["template"]
            template["metadata"]["labels"].pop("pod-template-hash")
            body = [{"op": "replace", "path": "/spec/template", "value": template}]
            self.whole.ask("PATCH", path, body, {"content-type": "application/json-patch+json"})
        return None, "", None

    def _run(self, words: Words, stdin: bytes, timeout_ms: int | None) -> Ran:
        name = words.rest[0]
        container: Obj = {"name": name, "image": words.get("--image"), **({"args": words.argv} if words.argv else {})}
        if "-i" in words.flags:
            container |= {"stdin": True, "stdinOnce": True, **({"tty": True} if "-t" in words.flags else {})}
        if words.get("--port"):
            container["ports"] = [{"containerPort": int(str(words.get("--port")))}]
        spec = {"containers": [container], "restartPolicy": words.get("--restart") or "Always"}
        metadata = {"name": name, "labels": {"run": name}}
        self.whole.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, self.whole.space)
        if "-i" not in words.flags:
            return f"pod/{name} created\n", "", 0
        return self._attended(name, words, stdin)

    def _attended(self, name: str, words: Words, stdin: bytes) -> Ran:
        """Attach to a Pod as soon as it runs, and take it away afterwards; compared is how it ended."""
        self.whole.until(lambda: _phase(self.whole, name) in ("Running", "Succeeded", "Failed"), PATIENCE_MS)
        if _phase(self.whole, name) == "Running":
            query = [("container", name), ("stdin", "true"), ("stdout", "true"), ("stderr", "true")]
            stream = self.whole.stream("GET", f"{self.whole.base}/pods/{name}/attach", query, upgrade=True)
            if not stream.over:
                stream.ticket.on_data(0, stdin)
                stream.ticket.on_end(0)
        self.whole.until(lambda: _phase(self.whole, name) in ("Succeeded", "Failed"), PATIENCE_MS)
        pod = self.whole.pod(name)
        assert pod is not None
        code = pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]
        if "--rm" in words.flags:
            self._delete(Words(["pod", name]), b"", None)
        return None, "", code


def _rolled_out(deployment: Obj) -> bool:
    """Say whether `rollout status` ends: all is done, or its deadline has passed."""
    status, wanted = deployment.get("status") or {}, deployment["spec"]["replicas"]
    if any(one.get("reason") == "ProgressDeadlineExceeded" for one in status.get("conditions") or ()):
        return True
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = [status.get(name, 0) for name in ("updatedReplicas", "availableReplicas", "replicas")]
    return seen and counts == [wanted] * 3


def _phase(whole: Whole, name: str) -> str:
    return str(((whole.pod(name) or {}).get("status") or {}).get("phase"))


def _container(pod: Obj, words: Words, *, logs: bool = False) -> tuple[str, str, str]:
    """Return the container meant, what kubectl says about its choice, and why there is none."""
    names = [one["name"] for one in pod["spec"]["containers"]]
    inits = [f"{one['name']} (init)" for one in pod["spec"].get("initContainers") or ()]
    every = ", ".join([*names, *inits])
    asked = words.get("-c")
    if asked is None:
        more = len(names) + len(inits) > 1
        return names[0], f'Defaulted container "{names[0]}" out of: {every}\n' if more else "", ""
    if asked in (*names, *(one.split(" ")[0] for one in inits)):
        return asked, "", ""
    return "", "", f"error: container {asked} is not valid for pod {pod['metadata']['name']} out of: {every}\n"


def _streamed(stream: Stream) -> Ran:
    """Return what a process said, and how kubectl tells its end."""
    if stream.answer is not None:
        body = stream.answer.body.decode()
        text = json.loads(body)["message"] if body.startswith("{") else body
        return "", f"error: unable to upgrade connection: {text.rstrip()}\n", 1
    out, err = stream.data(1).decode("utf-8", "replace"), stream.data(2).decode("utf-8", "replace")
    status = stream.finish.status if stream.finish is not None else None
    if status is None or status["status"] == "Success":
        return out, err, 0
    if status.get("reason") == "NonZeroExitCode":
        code = int(status["details"]["causes"][0]["message"])
        return out, f"{err}command terminated with exit code {code}\n", code
    return out, f"{err}error: {status['message']}\n", 1


def _refused(body: Obj) -> str:
    reason = f" ({body['reason']})" if body.get("reason") else ""
    return f"Error from server{reason}: {body.get('message')}\n"
