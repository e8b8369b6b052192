"""The recorded answers and logs of nginx, played on the real runtime."""

from __future__ import annotations

import re

import pytest
import wirebox as wire

from kit.embedded.core.program import Errno
from kit.embedded.images import registry

POSTS = ("POST / HTTP/1.1", "POST /nope HTTP/1.1")  # sent between the recorded cases: the log shows them
# The rig has no route to addresses outside the cluster and answers 502 at once; an ordinary node drops the packets (facts/README).
RIG = {"nginx-conf-504": b"HTTP/1.1 504 Gateway Time-out"}


def normal(text: str) -> str:
    text = re.sub(
        r"(?m)^(Date|Last-Modified): .*?\r?$", lambda m: f"{m[1]}: <time>" + ("\r" if m[0].endswith("\r") else ""), text
    )
    return re.sub(r'ETag: ".*?"', 'ETag: "<etag>"', text)


def escaped(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def raw_request(case) -> bytes:
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), case["send"].encode())


@pytest.fixture(scope="module")
def boxes():
    images = registry()
    made = {}

    def box(case):
        key = (case["server"].split()[0], case.get("config"))
        if key not in made:
            files = {"/etc/nginx/conf.d/default.conf": key[1]} if key[1] else {}
            made[key] = wire.Box(wire.Net(), images.resolve(key[0]), files=files)
        return made[key]

    return box


def test_answers(facts, boxes):
    cases = [case for case in facts("nginx.jsonl") if "send" in case]
    wrong = []
    for case in cases:
        reply, closed = boxes(case).send(80, raw_request(case), ms=2000)
        if case["id"] in RIG:
            assert reply.startswith(RIG[case["id"]])
            continue
        if (normal(escaped(reply)), closed) != (case["expect"]["reply"], case["expect"]["closed"]):
            wrong.append((case["id"], closed, normal(escaped(reply))))
    print(f"nginx answers: {len(cases) - len(RIG) - len(wrong)}/{len(cases)}")
    assert wrong == []


def test_log_words(facts):
    """Each line that a request left in the recorded log is there, word for word (times, pids, numbers of connections aside)."""
    cases = facts("nginx.jsonl")
    config = next(case["config"] for case in cases if case["id"] == "nginx-conf-404")
    for server, log, files in (
        ("web", "nginx-web-log", {}),
        ("conf", "nginx-conf-log", {"/etc/nginx/conf.d/default.conf": config}),
    ):
        box = wire.Box(wire.Net(), registry().resolve("nginx:1.30"), files=files)
        mine = [
            case
            for case in cases
            if "send" in case and case["id"].startswith(f"nginx-{server}-") and case["id"] not in RIG
        ]
        for case in mine:
            box.send(80, raw_request(case))
        for line in POSTS:
            box.send(80, f"{line}\r\nHost: web\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=1".encode())
        ours = {words(line) for line in (box.out + box.err).decode().splitlines()}
        sent = {case["send"].split("\r\n")[0] for case in mine} | set(POSTS)
        recorded = next(case["expect"]["log"] for case in cases if case["id"] == log).splitlines()
        wanted = [
            line
            for line in recorded
            if any(f'"{one}"' in line for one in sent) and not any(gap in line for gap in UNSENT)
        ]
        assert len(wanted) > 8
        assert [line for line in wanted if words(line) not in ours] == []


UNSENT = (
    "curl",
    '"localhost"',
    '" 416 ',
    '" 400 233 ',
    '"POST / HTTP/1.1" 400',
)  # requests of cases that are not recorded here


def words(line: str) -> str:
    line = re.sub(r"^<time>|^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "", line)
    line = re.sub(r"\[<time>\]|\[\d\d/\w+/\d{4}:.*?\]", "[]", line)
    return re.sub(r"\d+#\d+: \*\d+ ", "", line)


def test_index_removed(facts):
    case = next(case for case in facts("nginx.jsonl") if case["id"] == "nginx-web-403-noindex")
    box = wire.Box(wire.Net(), registry().resolve("nginx:1.30"))
    box.exec("rm", "/usr/share/nginx/html/index.html")
    first, _ = box.send(80, b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl\r\n\r\n")
    second, _ = box.send(80, b"GET /50x.html HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head = escaped(second).split("\r\n")[:3]
    assert normal(escaped(first) + "\r\n".join([*head, ""])) == case["expect"]["reply"]


def start(config, **more):
    return wire.Box(
        wire.Net(), registry().resolve("nginx:1.30"), files={"/etc/nginx/conf.d/default.conf": config}, **more
    )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("server { listen 80; foo bar; }\n", 'unknown directive "foo" in /etc/nginx/conf.d/default.conf:1'),
        ("server { listen 80 }\n", 'unexpected "}" in /etc/nginx/conf.d/default.conf:1'),
        ("server {\n  listen 80;\n", 'unexpected end of file, expecting "}" in /etc/nginx/conf.d/default.conf:3'),
        ("listen 80;\n", '"listen" directive is not allowed here in /etc/nginx/conf.d/default.conf:1'),
        (
            "server { location / { proxy_pass http://db; } }\n",
            'host not found in upstream "db" in /etc/nginx/conf.d/default.conf:1',
        ),
        ("server { location ~ ( { return 204; } }\n", "pcre2_compile() failed"),
        ("server { rewrite ^ /x; }\n", 'directive "rewrite" is not simulated'),
    ],
)
def test_bad_configuration_stops_it(config, words):
    box = start(config)
    box.net.run(60_000)  # a name server that does not answer is asked several times
    assert box.exits == [1]
    assert f"[emerg] {words}" in box.err.decode()
    assert f"nginx: [emerg] {words}" in box.err.decode()


def test_locations():
    box = start(
        "server { listen 80; location = /a { return 200 exact; } location /a { return 200 prefix; } location ^~ /a/b { return 200 firm; }"
        " location ~ \\.php$ { return 200 regex; } location ~* \\.JPG$ { return 200 any; } }\n",
    )
    answers = {}
    for path in ("/a", "/ab", "/a/b.php", "/a/x.php", "/x.jpg", "/nope"):
        reply, _ = box.send(80, f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answers[path] = reply.partition(b"\r\n\r\n")[2] if b" 200 " in reply else int(reply.split()[1])
    assert answers == {
        "/a": b"exact",
        "/ab": b"prefix",
        "/a/b.php": b"firm",
        "/a/x.php": b"regex",
        "/x.jpg": b"any",
        "/nope": 404,
    }


def test_proxy_error_page_and_headers():
    net = wire.Net()
    images = registry()
    wire.Box(net, images.resolve("traefik/whoami:v1.11"), address="10.244.1.9", hostname="behind")
    config = (
        "server { listen 8080; error_page 502 /50x.html; location = /50x.html { root /usr/share/nginx/html; }\n"
        " location /w/ { proxy_pass http://10.244.1.9/; proxy_set_header X-From $host; }\n"
        " location /dead { proxy_pass http://10.244.1.9:81; } }\n"
    )
    box = wire.Box(net, images.resolve("nginx:1.30"), files={"/etc/nginx/conf.d/default.conf": config})
    reply, _ = box.send(8080, b"GET /w/x?y=1 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n", 1000)
    assert b"Hostname: behind" in reply
    assert b"GET /x?y=1 HTTP/1.1" in reply
    assert b"X-From: shop" in reply
    reply, _ = box.send(8080, b"GET /dead HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n", 1000)
    assert reply.startswith(b"HTTP/1.1 502 Bad Gateway")
    assert b"An error occurred" in reply
    assert "connect() failed (111: Connection refused) while connecting to upstream" in box.err.decode()


def test_signals_and_reload():
    box = start("server { listen 80; return 200 one; }\n")
    assert box.exec("nginx", "-v") == ("", "nginx version: nginx/1.30.6\n", 0)
    box.tree.write("/etc/nginx/conf.d/default.conf", b"server { listen 81; return 200 two; }\n")
    assert box.exec("nginx", "-t")[2] == 0
    assert box.exec("nginx", "-s", "reload")[2] == 0
    box.net.run(500)
    assert box.send(81, b"GET / HTTP/1.0\r\n\r\n")[0].endswith(b"two")
    assert box.send(80, b"GET / HTTP/1.0\r\n\r\n")[0] == b"ECONNREFUSED"
    box.tree.write("/etc/nginx/conf.d/default.conf", b"server { nonsense; }\n")
    assert box.exec("nginx", "-t")[2] == 1
    box.exec("nginx", "-s", "reload")
    assert box.send(81, b"GET / HTTP/1.0\r\n\r\n")[0].endswith(b"two")
    box.signal(15)
    assert box.exits == [0]


def test_idle_connection_does_not_hold_up_a_graceful_stop():
    box = start("server { listen 80; return 200 one; }\n")
    end = box.connect(80)
    box.talk(end, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    box.signal(3)
    assert box.exits == [0]


def test_logs_go_into_a_mounted_folder():
    from kit.embedded.core.filesystem import Tree
    from kit.embedded.core.inodes import Dir, Mount

    image = registry().resolve("nginx:1.30")
    tree = Tree(image.root)
    tree.mount(Mount("/var/log/nginx", Dir(owner=object())))
    box = wire.Box(wire.Net(), image, tree=tree)
    box.send(80, b"GET / HTTP/1.0\r\n\r\n")
    assert b'"GET / HTTP/1.0" 200' in tree.read("/var/log/nginx/access.log")
    assert box.out == b""
    with pytest.raises(Errno):
        tree.read("/var/log/nginx/nope")
