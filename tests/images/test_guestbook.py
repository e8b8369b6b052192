"""The guestbook: the pure handler, the simulated image, and the real server as a process beside it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import wirebox as wire

from kit.apps.guestbook import handler
from kit.embedded.images import registry
from kit.embedded.images.guestbook import _plain
from kit.embedded.images.redis.resp import Replies

DB = "10.244.1.8"


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: web\r\n\r\n".encode()


def post(body: str) -> bytes:
    return f"POST /api/messages HTTP/1.1\r\nHost: web\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def body_of(reply: bytes) -> str:
    return reply.partition(b"\r\n\r\n")[2].decode()


def status_of(reply: bytes) -> int:
    return int(reply.split(b" ")[1])


class Pair:
    """A web Pod and its database."""

    def __init__(self, *, database=("redis-server",), **env):
        self.net, self.images = wire.Net(), registry()
        self.db = (
            wire.Box(self.net, self.images.resolve("redis:8"), address=DB, hostname="db", argv=list(database))
            if database
            else None
        )
        env = {"DB_HOST": DB, "POD_NAME": "web-1", "NODE_NAME": "lab-worker", "POD_IP": "10.244.1.2", **env}
        self.web = wire.Box(self.net, self.images.resolve("guestbook:v1"), env=env)

    def ask(self, data, ms=400):
        return self.web.send(8080, data, ms)[0]


def test_messages_are_kept_in_the_database():
    pair = Pair()
    assert status_of(pair.ask(post("hello from lab 00"))) == 201
    assert status_of(pair.ask(post('{"message": "second <b>"}'))) == 201
    answer = json.loads(body_of(pair.ask(get("/api/messages"))))
    assert answer == {"messages": ["hello from lab 00", "second <b>"], "pod": "web-1"}
    assert pair.db.exec("redis-cli", "llen", "messages")[0] == "2\n"
    page = body_of(pair.ask(get("/")))
    assert "<li>second &lt;b&gt;</li>" in page
    assert not re.search(r'(href|action|src)="(/|http)', page)  # it must work below a proxy's path
    form = pair.ask(post("message=by+form"))
    assert status_of(form) == 303
    assert b"Location: ../\r\n" in form


def test_facts_about_itself():
    pair = Pair(GREETING="Bonjour", DB_PASSWORD="secret")
    assert json.loads(body_of(pair.ask(get("/whoami")))) == {
        "pod": "web-1",
        "node": "lab-worker",
        "ip": "10.244.1.2",
        "version": "v1",
    }
    shown = body_of(pair.ask(get("/env")))
    assert json.loads(shown)["GREETING"] == "Bonjour"
    assert "secret" not in shown


def test_banner_is_read_on_every_request():
    pair = Pair()
    assert "fresh" not in body_of(pair.ask(get("/")))
    pair.web.tree.mkdir("/etc/guestbook", parents=True)
    pair.web.tree.write("/etc/guestbook/banner.txt", b"fresh news")
    assert "fresh news" in body_of(pair.ask(get("/")))


def test_readiness_follows_the_database_and_the_switch():
    pair = Pair()
    assert status_of(pair.ask(get("/readyz"))) == 200
    pair.ask(get("/notready"))
    assert status_of(pair.ask(get("/readyz"))) == 503
    pair.ask(get("/ready"))
    assert status_of(pair.ask(get("/readyz"))) == 200
    pair.db.signal(15)
    assert body_of(pair.ask(get("/readyz"))) == "not ready: database: connection refused\n"
    assert status_of(pair.ask(get("/healthz"))) == 200
    assert status_of(pair.ask(post("lost"))) == 503


def test_a_wrong_password_is_told():
    pair = Pair(database=("redis-server", "--requirepass", "right"), DB_PASSWORD="wrong")
    assert "WRONGPASS" in body_of(pair.ask(get("/api/messages")))
    right = Pair(database=("redis-server", "--requirepass", "right"), DB_PASSWORD="right")
    assert status_of(right.ask(get("/api/messages"))) == 200


def test_crash_answers_and_exits_1():
    pair = Pair()
    assert status_of(pair.ask(get("/crash"))) == 200
    assert pair.web.exits == [1]


def test_hang_answers_no_more_and_ignores_sigterm():
    pair = Pair()
    pair.ask(get("/hang"))
    assert pair.ask(get("/healthz"), 3000) == b""
    pair.web.signal(15)
    assert pair.web.exits == []
    pair.web.signal(9)
    assert pair.web.exits == [137]


def test_slow_requests_finish_after_sigterm():
    pair = Pair()
    end = pair.web.connect(8080)
    pair.web.talk(end, get("/slow?ms=2000"), 100)
    pair.web.signal(15, 100)
    assert pair.web.exits == []
    assert pair.web.send(8080, get("/healthz"))[0] == b"ECONNREFUSED"
    reply, _ = pair.web.talk(end, b"", 4000)
    assert status_of(reply) == 200
    pair.net.run(200)
    assert pair.web.exits == [0]


def test_burn_uses_cpu():
    pair = Pair()
    before = pair.net.clock.now
    assert status_of(pair.ask(get("/burn?seconds=1"), 4000)) == 200
    assert pair.net.clock.now - before >= 1000


def test_prober_writes_time_status_and_pod():
    pair = Pair()
    prober = wire.Box(
        pair.net,
        pair.images.resolve("guestbook:v1"),
        argv=["guestbook", "probe", "http://10.244.1.2:8080/whoami"],
        address="10.244.1.5",
    )
    pair.net.run(2_000)
    pair.web.signal(15)
    pair.net.run(2_000)
    lines = [line.split() for line in prober.out.decode().splitlines()]
    assert ["200", "web-1"] in [line[1:] for line in lines]
    assert lines[-1][1:] == ["connection-refused", "-"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[0][0])
    prober.signal(15)
    assert prober.exits == [0]


def test_two_versions():
    images = registry()
    assert images.resolve("guestbook:v1").env["APP_VERSION"] == "v1"
    assert images.resolve("guestbook:v2").env["APP_VERSION"] == "v2"


def test_a_service_called_db_does_not_break_the_port():
    assert handler.settings({"DB_PORT": "tcp://10.96.0.9:6379"}, "h").db_port == 6379
    assert handler.settings({"BAKED_DB_HOST": "old", "DB_HOST": ""}, "h").db_host == "old"


def test_the_real_server_reads_replies_as_the_simulated_one_does():
    """`server.py` talks to something that answers like redis, and to something that hangs up in the middle."""
    code = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1]); import server\n"
        "async def read(data):\n"
        "    reader = asyncio.StreamReader(); reader.feed_data(data); reader.feed_eof()\n"
        "    try: return repr(await server.read_reply(reader))\n"
        "    except asyncio.IncompleteReadError: return 'cut'\n"
        "for data in (b'*2\\r\\n$1\\r\\na\\r\\n:3\\r\\n', b'+OK\\r\\n', b'$-1\\r\\n', b'-ERR no\\r\\n', b'$5\\r\\nab'):\n"
        "    print(asyncio.run(read(data)))\n"
    )
    folder = str(Path(handler.__file__).parent)
    ran = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["['a', 3]", "'OK'", "''", "ValueError('ERR no')", "cut"]
    read = Replies()
    read.data += b"*2\r\n$1\r\na\r\n:3\r\n+OK\r\n$-1\r\n-ERR no\r\n$5\r\nab"
    plain = [_plain(read.take()[1]) for _ in range(4)]
    assert [*map(repr, plain)] == ran.stdout.splitlines()[:4]
    assert read.take() == (False, None)


def test_the_real_server_answers_the_same():
    """Start `server.py` as the image does, on a free port, and compare its bytes with those of the simulated one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": "1",
        "POD_NAME": "web-1",
        "NODE_NAME": "lab-worker",
        "POD_IP": "10.244.1.2",
        "PORT": str(port),
    }
    server = Path(handler.__file__).with_name("server.py")
    real = subprocess.Popen([sys.executable, server], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True)
    try:
        assert "listens" in real.stdout.readline()
        pair = Pair(database=(), DB_HOST="127.0.0.1", DB_PORT="1")
        for data in (
            get("/whoami"),
            get("/env"),
            get("/readyz"),
            get("/"),
            get("/nope"),
            post("x"),
            post(""),
            get("/healthz"),
            get("/crash"),
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(data)
                reply = b"".join(iter(lambda client=client: client.recv(65536), b""))
            assert reply == pair.ask(data, 3000), data
        assert real.wait(5) == pair.web.exits[0] == 1
    finally:
        real.kill()
        real.wait()
        real.stdout.close()
