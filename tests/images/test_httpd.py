"""busybox httpd and its CGI, against what the real program (1.37.0) answered to the same requests."""

from __future__ import annotations

import pytest
from shellbox import Box

from kit.embedded.core.filesystem import Tree
from kit.embedded.images.busybox.image import busybox

SITE = r"""mkdir -p /www/cgi-bin /www/sub; echo hi >/www/index.html
write() { cat >/www/cgi-bin/$1; chmod +x /www/cgi-bin/$1; }
write hook <<'X'
#!/bin/sh
body=$(head -c "$CONTENT_LENGTH")
uid=$(printf %s "$body" | sed 's/.*"uid":"\([^"]*\)".*/\1/')
printf 'Content-Type: application/json\r\n\r\n{"uid":"%s"} %s %s %s %s' "$uid" $REQUEST_METHOD $PATH_INFO "$QUERY_STRING" $PWD
X
write status <<'X'
#!/bin/sh
printf 'Status: 403 Forbidden\nX-A: b\n\nno\n'
X
write raw <<'X'
#!/bin/sh
printf 'HTTP/1.1 201 Made\r\nA: b\r\n\r\nx'
X
write environment <<'X'
#!/bin/sh
printf '\r\n'; env | grep -e ^HTTP_ -e ^SERVER_ -e ^GATEWAY -e ^SCRIPT -e ^REQUEST_URI | sort
X
write silent <<'X'
#!/bin/sh
exit 3
X
echo x >/www/cgi-bin/plain
httpd -f -vv -p 8080 -h /www 2>/log & sleep 1
"""


@pytest.fixture
def box() -> Box:
    return Box(Tree(busybox().root))


def sh(box: Box, line: str) -> tuple[str, str, int]:
    """Run lines of a shell -> what it printed, what it told of errors, its status."""
    out, err, code = box.run(["sh", "-c", line])
    return out.decode(), err.decode(), code


def asked(box: Box, request: str) -> str:
    """Return the whole answer to a request."""
    out, _, _ = sh(box, f"{SITE}printf '{request}' | nc 127.0.0.1 8080")
    return out.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (
            r'POST /cgi-bin/hook/extra?a=b&c HTTP/1.1\r\nContent-Length: 13\r\n\r\n{"uid":"u-1"}',
            'HTTP/1.1 200 OK\nContent-Type: application/json\n\n{"uid":"u-1"} POST /extra a=b&c /www/cgi-bin',
        ),
        (r"GET /cgi-bin/status HTTP/1.1\r\n\r\n", "HTTP/1.1 403 Forbidden\nX-A: b\n\nno\n"),
        (r"DELETE /cgi-bin/raw HTTP/1.1\r\n\r\n", "HTTP/1.1 201 Made\nA: b\n\nx"),
        (r"GET /cgi-bin/silent HTTP/1.1\r\n\r\n", ""),
        (
            r"GET /cgi-bin/environment?x HTTP/1.1\r\nHost: h\r\nX-Foo-Bar: 1\r\n\r\n",
            (
                "HTTP/1.1 200 OK\n\nGATEWAY_INTERFACE=CGI/1.1\nHTTP_HOST=h\nHTTP_X_FOO_BAR=1\nREQUEST_URI=/cgi-bin/environment?x\n"
                "SCRIPT_NAME=/cgi-bin/environment\nSERVER_PROTOCOL=HTTP/1.1\nSERVER_SOFTWARE=busybox httpd/1.37.0\n"
            ),
        ),
    ],
)
def test_programs(box: Box, request_: str, answer: str) -> None:
    assert asked(box, request_) == answer


@pytest.mark.parametrize(
    ("first", "line"),
    [
        ("GET /cgi-bin/", "HTTP/1.1 403 Forbidden"),
        ("GET /cgi-bin/absent", "HTTP/1.1 404 Not Found"),
        ("GET /cgi-bin/plain", "HTTP/1.1 404 Not Found"),
        ("POST /index.html", "HTTP/1.1 501 Not Implemented"),
        ("GET /sub", "HTTP/1.1 302 Found"),
        ("GET /sub/", "HTTP/1.1 404 Not Found"),
        ("GET nope", "HTTP/1.1 400 Bad Request"),
        ("GET /../etc/passwd", "HTTP/1.1 400 Bad Request"),
        ("HEAD /", "HTTP/1.1 200 OK"),
    ],
)
def test_what_is_no_program(box: Box, first: str, line: str) -> None:
    head, _, body = asked(box, rf"{first} HTTP/1.1\r\n\r\n").partition("\n\n")
    lines = head.split("\n")
    assert lines[0] == line
    assert lines[2] == "Connection: close"
    assert ("Location: /sub/" in lines) == ("302" in line)
    assert body.startswith("hi" if "200" in line else "" if "302" in line else f"<HTML><HEAD><TITLE>{line[9:]}<")


def test_what_it_tells(box: Box) -> None:
    request = "wget -qO /dev/null http://127.0.0.1:8080"
    sh(box, f"{SITE}{request}/; {request}/cgi-bin/plain; sleep 1")
    told = [line.partition("]:")[2].partition(" ")[2] for line in box.tree.read("/log").decode().splitlines()]
    assert told == [
        "url:/",
        "response:200",
        "url:/cgi-bin/plain",
        "can't execute 'plain': Permission denied",
        "response:404",
    ]


def test_a_long_answer_and_a_body_that_nobody_reads(box: Box) -> None:
    big = r"""cat >/www/cgi-bin/big <<'X'
#!/bin/sh
printf '\r\n'; yes abcdefg | head -n 40000
X
chmod +x /www/cgi-bin/big; head -c 300000 /dev/zero >/body
"""
    out, _, code = sh(box, f"{SITE}{big}wget -qO- --post-file /body http://127.0.0.1:8080/cgi-bin/big | wc -c")
    assert (out.strip(), code) == ("320000", 0)
