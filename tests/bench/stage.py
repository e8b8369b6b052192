"""What the measures stand on: clusters in processes of their own, one plain HTTPS client, and the rows of the table."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


class Row(NamedTuple):
    """One line of the table: what was measured, its value, the bar it is held to, and what it is compared with."""

    what: str
    value: float
    unit: str
    bar: float | None = None
    baseline: float | None = None
    relative: bool = False  # the bar is a ratio to the baseline

    @property
    def ratio(self):
        """The value over the baseline's in the same run."""
        return self.value / self.baseline if self.baseline else None


class Lab:
    """A cluster that `labkit up` starts, with its own home, state and name."""

    def __init__(self, *flags):
        self.home = Path(tempfile.mkdtemp(prefix="labkit-bench-"))
        self.name = f"bench-{os.getpid()}"
        self.environment = {
            **os.environ, "HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"), "LABKIT_NAME": self.name, "PATH": f"{BIN}:{os.environ['PATH']}",
        }  # fmt: skip
        for key in ("LABKIT_STATE_DIR", "LABKIT_PROVIDER", "LABKIT_CLOCK", "KUBECONFIG"):
            self.environment.pop(key, None)
        self.flags = flags

    def up(self):
        """Start it and point KUBECONFIG at it, as the last line it prints says."""
        said = self.labkit("up", *self.flags)
        self.environment["KUBECONFIG"] = said.rpartition("KUBECONFIG=")[2].strip()

    def labkit(self, *arguments):
        """Run `labkit` and return what it printed."""
        return self._run([BIN / "labkit", *arguments])

    def kubectl(self, *arguments, stdin=None):
        """Run `kubectl` and return what it printed."""
        return self._run([BIN / "kubectl", *arguments], stdin)

    def status(self):
        """Return what `labkit status --json` says of it."""
        return json.loads(self.labkit("status", "--json"))[0]

    def down(self):
        """End it and throw its state away."""
        self.labkit("down")
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, command, stdin=None):
        done = subprocess.run(
            [str(part) for part in command], env=self.environment, input=stdin, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        return done.stdout


@contextlib.contextmanager
def lab(*flags):
    """Give a running cluster, gone afterwards."""
    one = Lab(*flags)
    one.up()
    try:
        yield one
    finally:
        one.down()


@contextlib.contextmanager
def rig():
    """Give the kubeconfig of a real control plane (the program `control-plane` in the folder KUBE_RIG), or None without one."""
    folder = os.environ.get("KUBE_RIG")
    if not folder:
        yield None
        return
    program, place = Path(folder) / "control-plane", tempfile.mkdtemp(prefix="labkit-rig-")
    try:
        subprocess.run(
            [sys.executable, program, "up", "--dir", place, "--nodes", "3"], check=True, stdout=subprocess.DEVNULL
        )
        yield Path(place) / "admin.conf"
    finally:
        subprocess.run([sys.executable, program, "down", "--dir", place], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(place, ignore_errors=True)


class Client:
    """One kept connection over TLS; the same code for the kit and for the real API server."""

    def __init__(self, kubeconfig):
        config = _load(kubeconfig)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url, self._token = urlsplit(cluster["server"]), user.get("token")
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._context = ssl.create_default_context(cadata=ca)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(
                    b"".join(base64.b64decode(user[f"client-{part}-data"]) + b"\n" for part in ("certificate", "key"))
                )
                pair.flush()
                self._context.load_cert_chain(pair.name)
        self._connection = self.connection()

    def connection(self):
        """Return a new connection."""
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self._context, timeout=60)

    def headers(self, kind="application/json", accept="application/json"):
        """Return the headers of a request."""
        bearer = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {"Content-Type": kind, "Accept": accept, **bearer}

    def call(self, method, path, body=None, kind="application/json", accept="application/json"):
        """Send one request and return the body of the answer; anything but success ends the run."""
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, sent, self.headers(kind, accept))
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {data.decode(errors='replace')}")
        return data

    def raw(self, method, path, body=None, kind="application/json"):
        """Return the bytes of a request, for a socket of `connection()`."""
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"Host": self.url.netloc, **self.headers(kind), "Content-Length": len(sent)}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + sent

    def close(self):
        """End the connection."""
        self._connection.close()


def _load(path):
    import yaml

    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def resident(pid):
    """Return the MB of memory that a process holds, as the kernel says."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def arrived(socket):
    """Return what a socket that does not block has; a connection that ends is the end of the run."""
    data = b""
    try:
        while True:
            part = socket.recv(1 << 16)
            if not part:
                raise SystemExit("a connection was dropped")
            data += part
    except (BlockingIOError, ssl.SSLWantReadError):
        return data


def beside(prepare, rounds, bar):
    """Yield a row for each measure of `rounds(client)`, ours beside the real API server's.

    Each of its rounds gives {what: ms}; both servers have theirs in turn, so that what else the machine does hits both. The best counts.
    """
    with rig() as real, lab() as one:
        clients = [Client(path) for path in (one.environment["KUBECONFIG"], real) if path]
        for client in clients:
            prepare(client)
        best = [{} for _ in clients]
        for turn in zip(*(rounds(client) for client in clients), strict=True):
            for found, measured in zip(best, turn, strict=True):
                found.update({what: min(ms, found.get(what, ms)) for what, ms in measured.items()})
        for client in clients:
            client.close()
    theirs = best[1] if real else {}
    for what, ms in best[0].items():
        yield Row(what, ms, "ms", bar, theirs.get(what), relative=True)


def timed(action):
    """Return the seconds that `action()` takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def median(action, times):
    """Return the median seconds of `action(number)`."""
    return statistics.median(timed(lambda number=number: action(number)) for number in range(times))
