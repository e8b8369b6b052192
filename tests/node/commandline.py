"""The command lines of the kubelet's recordings: pipelines of kubectl and a few plain tools, run on a cluster in process."""

from __future__ import annotations

import re
import shlex
from collections import Counter

from pretend import Kubectl, Ran
from whole import Whole

# How long a command takes before it asks: some ask for the Pod first.
TOOK_MS = {"exec": 100, "logs": 100, "delete": 200, "describe": 200}
ROUND_MS = 75  # of a polling loop

# Lines that only a shell can run: how much time they take; what they look at is compared as states of Pods, or not at all.
POLLING = {
    r"^for i in \$\(seq (\d+)\); do kubectl get pod p --no-headers .*; sleep ([\d.]+); done \| uniq -c$": "polling",
}


class Commandline:
    """Runs lines. Output None: it is not compared."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        self.kubectl = Kubectl(whole)

    def run(self, line: str, timeout_ms: int | None) -> Ran:
        """Run one line."""
        for pattern in POLLING:
            if found := re.match(pattern, line):
                self.whole.pass_time(int(int(found[1]) * (float(found[2]) * 1000 + ROUND_MS)))
                return None, "", None
        if line.startswith("for i in $(seq 60); do kubectl exec p -- grep -q two"):
            return self._until_changed(line, timeout_ms)
        if found := re.match(
            r"^for i in \$\(seq 200\); do kubectl get node (\S+) .*? grep -q '? ?(\w+)'? && break; .*?done; (.*)$", line
        ):
            return self._until_node(found[1], found[2], found[3])
        if found := re.match(
            r"^\(kubectl logs -f (\w+) > \S+ & kubectl delete pod \1; sleep ([\d.]+); cat \S+\)$", line
        ):
            return self._followed(found[1], int(float(found[2]) * 1000))
        if re.search(r"[$(`&]", re.sub(r"'[^']*'|\"[^\"$]*\"", "", line)):
            return None, "", None
        whole_out: str | None = ""
        whole_err, code = "", 0 if not timeout_ms else None
        for pipeline in self._split(line, ";"):
            out, err, code = self._pipeline(pipeline, timeout_ms)
            whole_out = None if out is None or whole_out is None else whole_out + out
            whole_err += err
        return whole_out, whole_err, code

    @staticmethod
    def _split(line: str, mark: str) -> list[str]:
        """Split a line at marks that are not quoted."""
        parts, quote = [""], ""
        for character in line:
            if character == mark and not quote:
                parts.append("")
                continue
            quote = "" if character == quote else character if character in "'\"" and not quote else quote
            parts[-1] += character
        return [part.strip() for part in parts if part.strip()]

    def _pipeline(self, line: str, timeout_ms: int | None) -> Ran:
        out: str | None = ""
        err, code = "", None
        for command in self._split(line, "|"):
            if out is None:
                return None, err, code
            out, said, code = self._command(shlex.split(command), out, timeout_ms)
            err += said
        return out, err, code

    def _command(self, argv: list[str], stdin: str, timeout_ms: int | None) -> Ran:
        if argv[0] == "kubectl":
            self.whole.pass_time(TOOK_MS.get(argv[1], 0))
            return self.kubectl.run(argv[1:], stdin.encode(), timeout_ms)
        if argv[0] == "docker":
            return self._docker(argv)
        files, target = self.kubectl.files, argv[argv.index(">") + 1] if ">" in argv else ""
        argv = argv[: argv.index(">")] if ">" in argv else argv
        out = self._tool(argv, stdin)
        if out is not None and target:
            files[target], out = out.encode(), ""
        return out, "", 0

    def _tool(self, argv: list[str], stdin: str) -> str | None:
        lines = stdin.splitlines(keepends=True)
        match argv[0]:
            case "echo":
                return " ".join(argv[1:]) + "\n"
            case "head":
                return "".join(lines[: int(argv[1][1:])])
            case "sort":
                return "".join(sorted(lines))
            case "uniq":
                return "".join(f"{count:7} {line}" for line, count in Counter(lines).items())
            case "cat":
                return "".join(self.kubectl.files[name].decode() for name in argv[1:])
            case "ls":
                return "".join(
                    name.removeprefix(argv[1] + "/") + "\n"
                    for name in self.kubectl.files
                    if name.startswith(argv[1] + "/")
                )
            case "mkdir":
                return ""
            case _:
                return None

    def _docker(self, argv: list[str]) -> Ran:
        """Switch a node off or on, or run curl on it: `docker exec NODE curl ... URL` prints the status."""
        if argv[1] in ("stop", "start"):
            faults = self.whole.cluster.faults
            changed = faults.begin("node-off", argv[-1]) if argv[1] == "stop" else faults.end("node-off", argv[-1])
            assert changed, argv
            return f"{argv[-1]}\n", "", 0
        results: list[dict[str, object]] = []
        self.whole.cluster.fabric.fetch(
            f"node:{argv[2]}", {"method": "GET", "url": f"http://{argv[-1]}/"}, results.append
        )  # type: ignore[arg-type]
        self.whole.until(lambda: bool(results), 10_000)
        return f"{results[0].get('status', '000')}\n", "", 0

    def _followed(self, name: str, rest_ms: int) -> Ran:
        """Delete a Pod while its log is followed, then show the log."""
        stream = self.whole.stream("GET", f"{self.whole.base}/pods/{name}/log", [("follow", "true")])
        out, err, code = self.kubectl.run(["delete", "pod", name], b"", None)
        self.whole.pass_time(rest_ms)
        return (out or "") + stream.data(0).decode(), err, code

    def _until_node(self, name: str, shown: str, rest: str) -> Ran:
        """Carry out `for ...; do kubectl get node NAME | grep -q STATUS && break; sleep 0.5; done; REST`."""
        for _ in range(200):
            self.whole.pass_time(ROUND_MS)
            if self.kubectl.ready(name) is (shown == "Ready"):
                return self.run(rest, None)
            self.whole.pass_time(500)
        raise AssertionError((name, shown))

    def _until_changed(self, line: str, timeout_ms: int | None) -> Ran:
        """Carry out `for ...; do kubectl exec p -- grep -q two FILE && break; sleep 1.5; done; REST`."""
        look, rest = ["exec", "p", "--", "grep", "-q", "two", "/conf/a.txt"], line.partition("; done; ")[2]
        first = ""
        for _ in range(60):
            _, said, code = self.kubectl.run(look, b"", None)
            if code == 0:
                break
            first = said
            self.whole.pass_time(1500 + ROUND_MS)
        out, err, code = self.run(rest, None)
        return out, first + err, code
