"""The image traefik/whoami."""

from __future__ import annotations

import json

import wirebox as wire

from kit.embedded.images import registry


def start(**more):
    return wire.Box(wire.Net(), registry().resolve("traefik/whoami:v1.11"), hostname="hello", **more)


def ask(box, text, port=80):
    return box.send(port, text.encode(), 400)[0].decode()


def test_the_page():
    reply = ask(
        start(), "GET /x?y=1 HTTP/1.1\r\nHost: web\r\nUser-Agent: curl/8\r\naccept: */*\r\nConnection: close\r\n\r\n"
    )
    head, _, body = reply.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Type: text/plain; charset=utf-8" in head
    lines = body.replace("\r", "").split("\n")
    assert lines[:4] == ["Hostname: hello", "IP: 127.0.0.1", "IP: ::1", "IP: 10.244.1.2"]
    assert lines[4].startswith("RemoteAddr: 172.18.0.1:")
    assert lines[5:] == [
        "GET /x?y=1 HTTP/1.1",
        "Host: web",
        "User-Agent: curl/8",
        "Accept: */*",
        "Connection: close",
        "",
        "",
    ]


def test_api_data_and_bench():
    box = start()
    found = json.loads(ask(box, "GET /api HTTP/1.0\r\nHost: web\r\n\r\n").partition("\r\n\r\n")[2])
    assert (found["hostname"], found["method"], found["url"]) == ("hello", "GET", "/api")
    assert ask(box, "GET /bench HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n").endswith("\r\n\r\n1")
    assert (
        len(
            ask(box, "GET /data?size=2&unit=KB HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n").partition("\r\n\r\n")[
                2
            ]
        )
        == 2048
    )


def test_health_is_what_was_posted():
    box = start()
    ask(box, "POST /health HTTP/1.1\r\nHost: w\r\nContent-Length: 3\r\nConnection: close\r\n\r\n503")
    assert ask(box, "GET /health HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n").startswith("HTTP/1.1 503")


def test_kept_alive_connection_serves_twice():
    box = start()
    end = box.connect(80)
    for _ in range(2):
        reply, closed = box.talk(end, b"GET /bench HTTP/1.1\r\nHost: w\r\n\r\n")
        assert reply.endswith(b"1")
        assert not closed


def test_port_and_name():
    box = start(argv=["/whoami", "--port", "8080", "--name=me"])
    assert "Name: me\nHostname: hello\n" in ask(box, "GET / HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n", 8080)
