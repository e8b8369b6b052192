"""The cluster's process with the fake machine in it: `fake_serve.py STATE_FOLDER READY_FD`."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from pathlib import Path

from kit.embedded.core.store import Row

spec = importlib.util.spec_from_file_location("fakes", Path(__file__).with_name("conftest.py"))
fakes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fakes)


class Cluster(fakes.FakeMachine):
    """Keeps what is POSTed to /keep, and gives it back at /kept."""

    def __init__(self, settings, signer, rows=None, zones=None, exposition=None, tls=None):
        super().__init__(settings.epoch)
        self.settings = settings
        self.kept = {row.key: row.value.decode() for row in rows or ()}

    def request(self, request, ticket):
        if request.path == "/keep":
            self.kept[dict(request.query)["key"]] = request.body.decode()
            self.rows.append(Row("t", dict(request.query)["key"], request.body))
        if request.path == "/kept":
            body = json.dumps({"kept": self.kept, "seed": self.settings.seed, "nodes": self.settings.nodes}).encode()
            ticket.answer(fakes.Response(200, (), body))
            return
        super().request(request, ticket)


module = types.ModuleType("kit.embedded.cluster")
module.Cluster = Cluster
sys.modules["kit.embedded.cluster"] = module

from kit.runtime import serve  # noqa: E402 - after the machine was put in its place

sys.exit(serve.main(sys.argv))
