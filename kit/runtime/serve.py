"""The cluster's process: `python -m kit.runtime.serve STATE_FOLDER [READY_FD]`.

Reads `cluster.json`, opens the journal (the lock), builds or continues the machine, listens, writes `kubeconfig` and `process.json`, and
says so on READY_FD: one line of JSON, {"url"} or {"what", "next"}. It ends on SIGTERM, on /kit/v1/stop, or after four hours without
a client.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kit
from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.errors import KitError, Unavailable
from kit.runtime import state
from kit.runtime.clocks import Clock, Realtime, Settled
from kit.runtime.control import Control
from kit.runtime.credentials import Credentials
from kit.runtime.driver import Driver, unix_ms, wall_ms
from kit.runtime.exposition import Text
from kit.runtime.journal import Journal
from kit.runtime.measuring import Meter
from kit.runtime.ports import Ports
from kit.runtime.server import Server
from kit.runtime.tls import OpenSsl
from kit.runtime.zones import SystemZones

IDLE_S = 4 * 3600.0
_log = logging.getLogger("kit.runtime")


class Service:
    """One running cluster: everything at the edge, put together."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder = folder
        self.config = config
        self.journal = Journal(folder / "state.db", config["name"])
        self.credentials = Credentials(folder, config["name"])
        self.socket = _bind(int(config.get("port") or 0), fixed=bool(config.get("fixed_port")))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        settings = self._settings()
        rows = None if self.journal.empty() else self.journal.rows()
        meter = Meter()
        self.machine = Cluster(
            settings, self.credentials, rows, SystemZones(), Text(meter, self._stored), OpenSsl(folder)
        )
        self.driver = Driver(self.machine, self.journal, self._clock(), meter=meter)
        self.ports = Ports(
            self.driver, enabled=bool(config.get("expose", config["clock"] != "settled")), changed=self._note
        )
        self.driver.expose = self.ports.expose
        self._about: dict[str, Any] = {"version": kit.__version__, "kubernetes": settings.version, "ports": []}
        self._stopped = asyncio.Event()
        control = Control(self.machine, self.driver, self.credentials.token_text, self._about, self._stopped.set)
        self.server = Server(self.driver, control)

    async def run(self, ready: Callable[[dict[str, str]], None]) -> None:
        """Serve until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        self.driver.on_failure = lambda error: self._stopped.set()
        self.driver.start()
        await self.server.listen(self.credentials.context(), self.socket)
        self.credentials.kubeconfig(self.url, self.folder / "kubeconfig")
        self._note()
        ready({"url": self.url})
        self._watch_idle()
        _quiet_collector()
        await self._stopped.wait()
        self.close()

    def close(self) -> None:
        """End in order."""
        self.ports.close()
        self.server.close()
        self.driver.stop()
        self.journal.close()
        (self.folder / "process.json").unlink(missing_ok=True)

    def _stored(self) -> int:
        """Return how many bytes the journal takes, with its log."""
        return sum(file.stat().st_size for file in self.folder.glob("state.db*"))

    def _settings(self) -> Settings:
        config = self.config
        options: dict[str, Any] = {"seed": int(config["seed"]), "nodes": int(config["nodes"]), "name": "lab"}
        options["metrics"] = bool(config.get("metrics", True))
        options["webhook_urls"] = bool(config.get("webhook_urls", False))
        if config.get("epoch_ms") is not None:
            options["epoch"] = int(config["epoch_ms"])
        return Settings(**options, admin_token=self.credentials.token_text, server=self.url)

    def _clock(self) -> Clock:
        if self.config["clock"] == "settled":
            return Settled(self.machine.now)
        return Realtime(self.machine.now, wall_ms(), float(self.config.get("speed") or 1.0))

    def _note(self) -> None:
        """Write down what `labkit status` and the next `labkit up` read."""
        self._about["ports"] = self.ports.listing()
        pid = os.getpid()
        note = {
            "pid": pid,
            "started": state.started(pid),
            "url": self.url,
            "version": kit.__version__,
            "ports": self.ports.listing(),
        }
        state.replace(self.folder / "process.json", note)

    def _watch_idle(self) -> None:
        loop = asyncio.get_running_loop()
        busy = any(connection.busy for connection in self.server.connections) or self.driver.open_tickets
        if not busy and loop.time() - self.server.last_seen > IDLE_S:
            _log.info("four hours without a client: stopping")
            self._stopped.set()
            return
        loop.call_later(60.0, self._watch_idle)


def main(argv: list[str]) -> int:
    """Run the process and return its exit code."""
    folder = Path(argv[1])
    tell = _teller(int(argv[2]) if len(argv) > 2 else None)
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    _raise_limits()
    try:
        asyncio.run(_serve(folder, tell))
    except KitError as error:
        tell({"what": error.what, "next": error.next, "kind": type(error).__name__})
        return 1
    except Exception as error:
        tell({"what": f"the cluster could not start: {error}", "next": f"see {folder / 'log'}", "kind": "Unavailable"})
        raise
    return 0


async def _serve(folder: Path, tell: Callable[[dict[str, str]], None]) -> None:
    config = state.load(folder / "cluster.json")
    if config.get("epoch_ms") is None and config["clock"] != "settled":
        config["epoch_ms"] = unix_ms() // 1000 * 1000
    service = Service(folder, config)
    await service.run(tell)


def _bind(port: int, *, fixed: bool) -> socket.socket:
    """Return a bound socket: the port of last time when it is free, so that old kubeconfigs stay good."""
    for wanted in dict.fromkeys((port, port if fixed else 0)):
        # Named as TCP: asyncio sets TCP_NODELAY only then, and without it every other first answer waits 40 ms for an ACK.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(("127.0.0.1", wanted))
        except OSError:
            bound.close()
            continue
        return bound
    raise Unavailable(
        f"port {port} of this machine is taken by another program", "choose another with --port, or leave it out"
    )


def _teller(fd: int | None) -> Callable[[dict[str, str]], None]:
    """Return what says one line on a file descriptor, once."""
    left = [fd] if fd is not None else []

    def tell(message: dict[str, str]) -> None:
        if left:
            with os.fdopen(left.pop(), "w", encoding="utf-8") as pipe:
                pipe.write(json.dumps(message) + "\n")

    return tell


def _quiet_collector() -> None:
    """Let garbage collection look less often, and not at all at what a start builds: objects of the store seldom form cycles.

    Measured: a thousand Pods to Ready take 1.3 s of collecting with Python's thresholds, 0.6 s with these.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)


def _raise_limits() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
