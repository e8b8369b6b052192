"""What probes and hooks do: run a program, ask over HTTP, open a port, wait. Models pkg/probe and pkg/kubelet/lifecycle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from kit.embedded.core.program import SIGNALS, Errno, Killed
from kit.embedded.core.store import Obj
from kit.embedded.net.http import DIAL_ERRORS, PORTS, Ask, Exchange, Reply, Trust
from kit.embedded.net.wires import End
from kit.embedded.node.descriptors import Sink
from kit.embedded.node.processes import Process
from kit.embedded.node.runtime import World
from kit.embedded.node.units import Unit

OUTPUT_LIMIT = 10 * 1024
MAX_REDIRECTS = 10
LATE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action went: success, failure, warning (counts as success) or unknown (counts as nothing). `code` is an exec's."""

    result: str
    message: str = ""
    code: int = 0


Done = Callable[[Outcome], None]


def runc_error(error: Errno, name: str) -> str:
    """Return runc's words for a program that can't be started."""
    if error.name == "ENOENT":
        return (
            f'exec: "{name}": stat {name}: no such file or directory'
            if "/" in name
            else f'exec: "{name}": executable file not found in $PATH'
        )
    if error.name == "EACCES":
        return f'exec: "{name}": permission denied'
    return f"exec {name}: exec format error" if error.name == "ENOEXEC" else f'exec: "{name}": {str(error).lower()}'


def exec_error(error: Errno, name: str, id: str) -> str:
    """Return the runtime's words for an exec that can't be started."""
    return (
        f'failed to exec in container: failed to start exec "{id}": OCI runtime exec failed: exec failed: '
        f"unable to start container process: {runc_error(error, name)}"
    )


class Action:
    """One action under way; `done` is called once unless it is cancelled."""

    def __init__(
        self, world: World, unit: Unit, handler: Obj, timeout_ms: int, done: Done, *, housekeeping: bool
    ) -> None:
        self._world = world
        self._unit = unit
        self._timeout = timeout_ms
        self._done: Done | None = done
        self._housekeeping = housekeeping
        self._process: Process | None = None
        self._exchange: Exchange | None = None
        self._output = bytearray()
        self._redirects = 0
        self._scheme = "http"
        kind = next((kind for kind in ("exec", "httpGet", "tcpSocket", "grpc", "sleep") if kind in handler), "")
        begin = {
            "exec": self._exec,
            "httpGet": self._http,
            "tcpSocket": self._tcp,
            "grpc": self._grpc,
            "sleep": self._sleep,
        }
        begin[kind](handler[kind])

    def cancel(self) -> None:
        """Give up."""
        self._done = None
        self._clean()

    def _finish(self, outcome: Outcome) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._clean()
            done(outcome)

    def _clean(self) -> None:
        if self._process is not None and self._process.exit_code is None:
            self._process.on_exit = None
            self._process.container.end(self._process, Killed(128 + SIGNALS["KILL"]))
        if self._exchange is not None:
            self._exchange.cancel()

    def _later(self, ms: int, outcome: Outcome) -> None:
        self._world.queue.put(
            self._world.clock.now + ms, lambda: self._finish(outcome), housekeeping=self._housekeeping
        )

    # --- exec ---

    def _exec(self, given: Obj) -> None:
        unit, argv = self._unit, list(given.get("command") or ())
        if unit.container is None or not argv:
            self._later(0, Outcome("unknown", "container is not running"))
            return
        sink = Sink(self._collect, lambda _, size: size)
        try:
            process = unit.container.launch(
                argv, unit.env, unit.workdir, {0: Sink(self._drop, lambda _, size: size), 1: sink, 2: sink}
            )
        except Errno as error:
            reason = exec_error(error, argv[0], self._world.ids.hexes(64))
            self._later(0, Outcome("unknown", f"rpc error: code = Unknown desc = {reason}"))
            return
        self._process = process
        process.on_exit = self._exited
        text = f'command timed out: "{" ".join(argv)}" timed out after {self._timeout // 1000}s'
        self._later(self._timeout, Outcome("failure", text, -1))

    def _collect(self, data: bytes) -> None:
        self._output += data[: max(0, OUTPUT_LIMIT - len(self._output))]

    def _drop(self, data: bytes) -> None:
        """Take nothing in: standard input is empty."""

    def _exited(self, code: int) -> None:
        self._finish(Outcome("failure" if code else "success", self._output.decode("utf-8", "replace"), code))

    # --- network ---

    def _http(self, given: Obj) -> None:
        host = given.get("host") or self._unit.address
        port = self._port(given["port"])
        if port is None:
            self._later(0, Outcome("unknown", f'strconv.Atoi: parsing "{given["port"]}": invalid syntax'))
            return
        path = given.get("path") or "/"
        self._scheme = (given.get("scheme") or "HTTP").lower()
        self._headers = [(one["name"], one["value"]) for one in given.get("httpHeaders") or ()]
        self._url = f"{self._scheme}://{host}:{port}{path if path.startswith('/') else '/' + path}"
        self._get(host, port, path if path.startswith("/") else f"/{path}")

    def _get(self, host: str, port: int, target: str) -> None:
        names = {name.lower() for name, _ in self._headers}
        extra = [("User-Agent", "kube-probe/1.37.2")] if "user-agent" not in names else []
        accept = [("Accept", "*/*")] if "accept" not in names else []
        trust = Trust(host) if self._scheme == "https" else None  # models probe/http: InsecureSkipVerify
        ask = Ask(host, port, "GET", target, [*self._headers, *extra, *accept], trust=trust)
        node = self._world.fabric.nodes[self._unit.node]
        self._exchange = Exchange(
            self._world.fabric, node, ask, self._timeout, self._answered, housekeeping=self._housekeeping
        )

    def _answered(self, reply: Reply) -> None:
        self._exchange = None
        url = urlsplit(self._url)
        if reply.error:
            address = f"{url.hostname}:{url.port}"
            late = LATE if reply.connected else f"dial tcp {address}: i/o timeout"
            self._finish(Outcome("failure", f'Get "{self._url}": {reply.told(address, late)}'))
        elif 300 <= reply.status < 400 and (location := _header(reply, "location")):
            self._redirect(location)
        elif 200 <= reply.status < 400:
            self._finish(Outcome("success", reply.body.decode("utf-8", "replace")))
        else:
            self._finish(Outcome("failure", f"HTTP probe failed with statuscode: {reply.status}"))

    def _redirect(self, location: str) -> None:
        target = urlsplit(urljoin(self._url, location))
        if target.hostname != urlsplit(self._url).hostname:
            self._finish(Outcome("warning", "Probe terminated redirects, Response body: "))
            return
        self._redirects += 1
        if self._redirects >= MAX_REDIRECTS:
            self._finish(Outcome("failure", f'Get "{location}": stopped after 10 redirects'))
            return
        self._url, self._scheme = target.geturl(), target.scheme
        self._get(
            str(target.hostname),
            target.port or PORTS.get(target.scheme, 80),
            (target.path or "/") + (f"?{target.query}" if target.query else ""),
        )

    def _tcp(self, given: Obj) -> None:
        host, port = given.get("host") or self._unit.address, self._port(given["port"]) or 0

        def connected(result: End | str) -> None:
            if isinstance(result, End):
                result.close()
                self._finish(Outcome("success"))
            else:
                self._finish(Outcome("failure", f"dial tcp {host}:{port}: {DIAL_ERRORS.get(result, 'i/o timeout')}"))

        node = self._world.fabric.nodes[self._unit.node]
        self._world.fabric.connect(node, host, port, connected, self._timeout, housekeeping=self._housekeeping)

    def _grpc(self, given: Obj) -> None:
        """No simulated program speaks gRPC, so this ends as it does in life against a port that does not."""
        where, seconds = f"{self._unit.address}:{given['port']}", self._timeout // 1000
        text = f'timeout: failed to connect service "{where}" within {seconds}s: context deadline exceeded'
        self._later(self._timeout, Outcome("failure", text))

    def _sleep(self, given: Obj) -> None:
        self._later(int(given["seconds"]) * 1000, Outcome("success"))

    def _port(self, port: int | str) -> int | None:
        if isinstance(port, int) or str(port).isdigit():
            return int(port)
        return next(
            (one["containerPort"] for one in self._unit.spec.get("ports") or () if one.get("name") == port), None
        )


def _header(reply: Reply, name: str) -> str:
    return next((value for key, value in reply.headers if key.lower() == name), "")
