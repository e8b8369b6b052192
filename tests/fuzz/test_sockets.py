"""The door of a running cluster: broken HTTP, slow and half-closed clients, a thousand idle connections. It goes on answering."""

from __future__ import annotations

import json
import os
import resource
import socket
import ssl
import time

import pytest
import yaml
from fuzzing import amount, check_answer, explore
from hypothesis import strategies as st

from kit.providers.base import Wanted, quiet
from kit.providers.embedded import Embedded

NAME = f"fuzz-{os.getpid()}"
PATIENCE_S = 20


class Door:
    """The API's port, as bytes."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        host, _, port = config["clusters"][0]["cluster"]["server"].removeprefix("https://").partition(":")
        self.address = (host, int(port))
        self.token = config["users"][0]["user"]["token"]
        self.context = ssl._create_unverified_context()

    def open(self):
        """Return a connection after its handshake."""
        plain = socket.create_connection(self.address, timeout=PATIENCE_S)
        return self.context.wrap_socket(plain)

    def head(self, line, *headers, host=True):
        """Return a request's head as the administrator sends it."""
        lines = [line, *([f"Host: {self.address[0]}:{self.address[1]}"] if host else [])]
        return "\r\n".join([*lines, f"Authorization: Bearer {self.token}", *headers, "", ""]).encode("latin-1")

    def say(self, data):
        """Send bytes on a connection of its own and return all that comes back until it is closed or idle."""
        with self.open() as client:
            client.sendall(data)
            return read(client)

    def works(self):
        """Fail unless an ordinary request is answered at once."""
        began = time.monotonic()
        code, body = answers(self.say(self.head("GET /api/v1/namespaces/default HTTP/1.1", "Connection: close")))[0]
        assert code == 200 and json.loads(body)["kind"] == "Namespace"
        assert time.monotonic() - began < 5


def read(client):
    """Return what comes until the end of the connection."""
    out = b""
    while piece := _piece(client):
        out += piece
    return out


def _piece(client):
    try:
        return client.recv(65_536)
    except (ConnectionResetError, ssl.SSLError):
        return b""


def answers(data):
    """Return (code, body) of each answer in a stream of them."""
    out = []
    while data.startswith(b"HTTP/1.1 "):
        head, _, rest = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        size = int(lengths[0]) if lengths else 0
        out.append((int(head[9:12]), rest[:size]))
        data = rest[size:]
    return out


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    handle = Embedded().up(Wanted(NAME, clock="settled", seed=3, state_dir=folder), quiet)
    made = Door(handle.kubeconfig)
    yield made
    made.works()
    Embedded().down(NAME, delete=True)


CREATE = "POST /api/v1/namespaces/default/configmaps HTTP/1.1"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 6",),
        ("Content-Length: -1",),
        ("Content-Length: +5",),
        ("Content-Length: 0x5",),
        ("Content-Length: 5 5",),
        ("Content-Length : 5",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("X: a\x00b",),
        ("X: a\rb",),
        ("X\x01: a",),
        (": a",),
        ("no colon",),
        ("Host: a", "Host: b"),
    ],
    ids=repr,
)
def test_a_head_that_can_be_read_in_two_ways_is_refused_and_ends_the_connection(door, headers):
    found = answers(door.say(door.head(CREATE, *headers) + b"{}\r\n0\r\n\r\n" + SMUGGLED))
    assert len(found) == 1, found
    assert 400 <= found[0][0] < 502
    check_answer(*found[0])


@pytest.mark.parametrize(
    "body",
    [b"zz\r\n", b"-1\r\n", b"2\r\nabX", b"f" * 40 + b"\r\n", b"2;" + b"a" * 300_000 + b"\r\n{}\r\n0\r\n\r\n"],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_chunks_that_are_none(door, body):
    with door.open() as client:
        client.sendall(door.head(CREATE, "Transfer-Encoding: chunked", "Connection: close") + body)
        found = answers(read(client))
    assert len(found) == 1 and 400 <= found[0][0] < 432
    check_answer(*found[0])


@pytest.mark.parametrize("body", [b"5\r\nab", b"ffffffffffffffffffff\r\n", b""])
def test_chunks_that_never_come(door, body):
    with door.open() as client:
        client.sendall(door.head(CREATE, "Transfer-Encoding: chunked") + body)
    door.works()


def test_of_a_length_and_chunks_the_chunks_count_and_nothing_is_left_over(door):
    """As RFC 9112 wants it: one request, not two."""
    data = door.head(CREATE, "Content-Length: 4", "Transfer-Encoding: chunked", "Connection: close")
    found = answers(door.say(data + b"2\r\n{}\r\n0\r\n\r\n" + SMUGGLED))
    assert len(found) == 1 and found[0][0] in {400, 422}


@pytest.mark.parametrize(
    "line",
    ["GET", "GET / HTTP/9.9", "GET  / HTTP/1.1", "G@T / HTTP/1.1", "GET /\x00 HTTP/1.1", "\x16\x03\x01", "PRI * HTTP/2.0",
     "GET https://evil.example/ HTTP/1.1", "GET * HTTP/1.1", "CONNECT evil.example:443 HTTP/1.1", "GET //evil.example/ HTTP/1.1",
     "GET /../../../etc/passwd HTTP/1.1", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", "GET /api/v1/%2e%2e/%2e%2e/kit/v1/../.. HTTP/1.1"],
)  # fmt: skip
def test_request_lines(door, line):
    found = answers(door.say(door.head(line, "Connection: close")))
    assert len(found) == 1 and found[0][0] in {400, 403, 404, 405, 505}, found
    check_answer(*found[0])
    assert b"root:" not in found[0][1]


@amount
def test_noise(door, times):
    good = door.head(CREATE, "Content-Length: 2", "Connection: close") + b"{}"

    def check(data):
        with door.open() as client:
            client.sendall(data)
            client.unwrap() if not data else None
            client.shutdown(socket.SHUT_WR)
            for code, body in answers(read(client)):
                check_answer(code, body, data)

    from bodies import broken

    explore(st.one_of(st.binary(max_size=100), broken(good)), check, 20, times)
    door.works()


def test_plain_bytes_where_tls_is_spoken(door):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100, b""):
        with socket.create_connection(door.address, timeout=PATIENCE_S) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            read(client)
    door.works()


def test_a_body_of_more_than_three_megabytes_gets_its_answer(door):
    size = 5 << 20
    with door.open() as client:
        client.sendall(door.head(CREATE, f"Content-Length: {size}"))
        sent = b"x" * (64 << 10)
        try:
            for _ in range(size // len(sent)):
                client.sendall(sent)
        except OSError:
            pass
        code, body = answers(read(client))[0]
    assert code == 413
    check_answer(code, body)


def test_half_closed_and_slow_clients(door):
    halves = []
    for cut in (1, 20, 80):
        client = door.open()
        client.sendall(door.head(CREATE, "Content-Length: 100")[:cut])
        halves.append(client)
    watching = door.open()
    watching.sendall(door.head("GET /api/v1/namespaces?watch=1 HTTP/1.1"))
    watching.recv(100)
    watching.shutdown(socket.SHUT_WR)  # it reads no more either
    door.works()
    for client in (*halves, watching):
        client.close()
    door.works()


def test_requests_ahead_of_their_answers_are_answered_in_order_and_bounded(door):
    one = door.head("GET /version HTTP/1.1")
    with door.open() as client:
        client.sendall(one * 50 + door.head("GET /version HTTP/1.1", "Connection: close"))
        found = answers(read(client))
    assert [code for code, _ in found] == [200] * 51
    with door.open() as client:
        client.sendall(door.head("GET /api/v1/pods?watch=1 HTTP/1.1"))
        client.recv(100)
        with pytest.raises(OSError):  # noqa: PT012
            for _ in range(200):
                client.sendall(one * 1000)
    door.works()


def test_a_thousand_idle_connections(door):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    idle = []
    try:
        idle += [socket.create_connection(door.address, timeout=PATIENCE_S) for _ in range(1000)]
        idle += [door.open() for _ in range(50)]
        door.works()
    finally:
        for client in idle:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    door.works()


def test_exec_with_our_own_origin_needs_a_good_token(door):
    own = f"https://{door.address[0]}:{door.address[1]}"
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA==",
               "Sec-WebSocket-Protocol: v5.channel.k8s.io", f"Origin: {own}")  # fmt: skip
    head = door.head("GET /api/v1/namespaces/kube-system/pods/nope/exec?command=ls&stdout=1 HTTP/1.1", *upgrade)
    assert answers(door.say(head.replace(b"Connection: Upgrade", b"Connection: Upgrade, close")))[0][0] in {403, 404}
    bad = head.replace(door.token.encode(), b"wrong")
    with door.open() as client:
        client.sendall(bad)
        assert client.recv(20).startswith(b"HTTP/1.1 401")
