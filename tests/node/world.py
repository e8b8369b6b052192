"""Kubelets on a store with a plain apply: no API, no scheduler, tiny images."""

from __future__ import annotations

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import View
from kit.embedded.core.effects import Create, Delete, Emit, Patch, Update
from kit.embedded.core.engine import Engine
from kit.embedded.core.filesystem import build
from kit.embedded.core.ids import Ids
from kit.embedded.core.inodes import File
from kit.embedded.core.program import Accept, Close, Exec, Listen, Read, Signal, Sleep, Trap, Write
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Key, Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Ticket
from kit.embedded.images.image import Image
from kit.embedded.net.network import Fabric
from kit.embedded.node.agent import Nodes
from kit.errors import Status
from kit.kube import copies

EPOCH = 1_767_225_600_000
RESOURCES = {"Pod": "pods", "Node": "nodes", "Lease": "leases.coordination.k8s.io", "ConfigMap": "configmaps", "Secret": "secrets",
             "Service": "services", "EndpointSlice": "endpointslices.discovery.k8s.io", "Namespace": "namespaces"}  # fmt: skip


def shell(ctx):
    """A toy: `sh -c "word; word"` with echo, sleep, exit, trap, cat, loop."""
    code = 0
    script = ctx.argv[2] if ctx.argv[1:2] == ["-c"] else ""
    handler = None
    try:
        for words in [part.split() for part in script.split(";") if part.strip()]:
            if words[0] == "echo":
                yield Write(1, " ".join(words[1:]).encode() + b"\n")
            elif words[0] == "env":
                yield Write(1, "".join(f"{k}={v}\n" for k, v in ctx.env.items()).encode())
            elif words[0] == "warn":
                yield Write(2, " ".join(words[1:]).encode() + b"\n")
            elif words[0] == "sleep":
                yield Sleep(int(float(words[1]) * 1000))
            elif words[0] == "exit":
                return int(words[1])
            elif words[0] == "trap":
                handler = int(words[1])
                yield Trap(15, "catch")
            elif words[0] == "cat":
                yield Write(1, ctx.fs.read(words[1], ctx.cwd))
            elif words[0] == "write":
                ctx.fs.write(words[1], " ".join(words[2:]).encode(), ctx.cwd)
            elif words[0] == "stdin":
                while data := (yield Read(0)):
                    yield Write(1, data.upper())
            elif words[0] == "serve":
                yield Exec("/bin/serve", ("serve", words[1], ctx.env.get("CODE", "200")), ctx.env)
            elif words[0] == "test":
                code = 0 if ctx.fs.exists(words[1], ctx.cwd) else 1
    except Signal:
        return handler
    return code


def sleeper(ctx):
    yield Sleep(int(ctx.argv[1]) * 1000)
    return 0


def serve(ctx):
    listener = yield Listen(int(ctx.argv[1]))
    while True:
        connection = yield Accept(listener)
        request = yield Read(connection)
        code = b"404" if b"/nope" in request else ctx.argv[2].encode()
        body = ctx.hostname.encode()
        yield Write(
            connection, b"HTTP/1.1 %s X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (code, len(body), body)
        )
        yield Close(connection)


def program(what):
    return File(b"\x7fELF", 0o755, program=what)


class Missing:
    def __init__(self, reference):
        self.message = f'failed to pull and unpack image "docker.io/library/{reference}": not found'


class Images:
    def __init__(self):
        root = build({"/bin/sh": program(shell), "/bin/sleep": program(sleeper), "/bin/serve": program(serve), "/etc/passwd": "root\n",
                      "/tmp": None, "/root": None})  # fmt: skip
        self.box = Image(
            "box",
            "1",
            root,
            command=("sleep", "1000"),
            env={"IMAGE": "box"},
            size=5_000_000,
            digest="sha256:" + "0" * 64,
        )

    def resolve(self, reference):
        return self.box if reference in ("box:1", "box") else Missing(reference)

    fetch = resolve


class Signer:
    def token(self, claims):
        return "jwt." + claims["sub"]

    def claims(self, token):
        return None

    def authority(self):
        return "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"


class Stub:
    """Collects what a ticket sends."""

    def __init__(self, id=1):
        self.outputs = []
        self.ticket = Ticket(id, self.outputs.append)

    def data(self, channel=None):
        return b"".join(
            o.data for o in self.outputs if type(o).__name__ == "Chunk" and (channel is None or o.channel == channel)
        )

    @property
    def finish(self):
        return next((o for o in self.outputs if type(o).__name__ == "Finish" and o.channel is None), None)


class World:
    def __init__(self, *, preloaded=True, nodes=2, images=None):
        self.settings = Settings(nodes=nodes, preloaded=preloaded)
        self.queue, self.clock, self.ids, self.trace, self.store = Queue(), Clock(EPOCH), Ids(1), Trace(), Store()
        self.store.index("pods", "node", lambda pod: (pod["spec"]["nodeName"],) if pod["spec"].get("nodeName") else ())
        self.engine = Engine(self.store, self.queue, self.clock, self.trace, self.apply)
        self.view: View = self.engine.view
        self.outputs = []
        self.fabric = Fabric(view=self.view, queue=self.queue, clock=self.clock, ids=self.ids, trace=self.trace, settings=self.settings,
                             out=self.outputs.append)  # fmt: skip
        self.images = images or Images()
        self.nodes = self.agent()
        self.events = []
        self.history = {}
        for controller in self.nodes.controllers():
            self.engine.register(controller)

    def agent(self):
        return Nodes(view=self.view, engine=self.engine, fabric=self.fabric, registry=self.images, signer=Signer(), queue=self.queue,
                     clock=self.clock, ids=self.ids, trace=self.trace, settings=self.settings, store=self.store)  # fmt: skip

    # --- a plain API ---

    def apply(self, controller, effect):
        if isinstance(effect, Emit):
            self.events.append((self.clock.now, effect.type, effect.reason, effect.message, effect.field_path))
            return None
        if isinstance(effect, Create):
            return self.put(copies.deep(effect.obj))
        if isinstance(effect, Update):
            key = self.key(effect.obj)
            if self.store.get(key) is None:
                return Status("NotFound", f"{key} not found")
            return self.put(copies.deep(effect.obj))
        if isinstance(effect, Delete):
            self.store.remove(effect.key)
            return {}
        assert not isinstance(effect, Patch)
        return None

    def key(self, obj):
        return Key(RESOURCES[obj["kind"]], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])

    def put(self, obj):
        key = self.key(obj)
        obj["metadata"].setdefault("uid", self.ids.uid())
        if key.resource == "pods":
            seen = self.history.setdefault(key.name, [])
            seen.append((self.clock.now, obj.get("status") or {}))
        return self.store.commit(key, obj).obj

    # --- what tests say ---

    def pod(self, name="p", *containers, node="lab-worker", **spec):
        given = [
            {"name": "c", "image": "box:1", "terminationMessagePath": "/dev/termination-log", **one}
            for one in containers or ({},)
        ]
        for index, one in enumerate(given):
            if index and one["name"] == "c":
                one["name"] = f"c{index}"
        spec = {"containers": given, "terminationGracePeriodSeconds": 30, "nodeName": node, **spec}
        metadata = {"name": name, "namespace": "default", "generation": 1}
        return self.put(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}
        )

    def get(self, name="p"):
        return self.view.get("pods", "default", name)

    def status(self, name="p", index=0):
        return self.get(name)["status"]["containerStatuses"][index]

    def run(self, ms):
        until = self.clock.now + ms
        while (found := self.queue.pop(until)) is not None:
            due, call = found
            self.clock.now = max(self.clock.now, due)
            call()
        self.clock.now = until

    def delete(self, name="p", grace=None):
        pod = copies.deep(self.get(name))
        seconds = pod["spec"]["terminationGracePeriodSeconds"] if grace is None else grace
        pod["metadata"] |= {
            "deletionTimestamp": "2026-01-01T00:00:30Z",
            "deletionGracePeriodSeconds": seconds,
            "generation": 2,
        }
        self.put(pod)

    def log(self, name="p", container="c", **options):
        stub = Stub()
        self.nodes.logs(self.get(name), container, options, stub.ticket)
        return stub

    def reasons(self, *, about=None):
        return [reason for _, _, reason, _, path in self.events if about is None or about in path]

    def messages(self, reason):
        return [message for _, _, found, message, _ in self.events if found == reason]


def sh(script, **more):
    return {"command": ["sh", "-c", script], **more}


def conditions(pod):
    return {c["type"]: (c["status"], c.get("reason"), c.get("message")) for c in pod["status"]["conditions"]}
