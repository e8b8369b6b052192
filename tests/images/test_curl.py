"""curl: what the real one printed for many command lines (curl_lines.json), words of newer versions, time-outs, TLS, what images bring it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import wirebox as wire
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from shellbox import Box

from kit.embedded.core.filesystem import Tree, build
from kit.embedded.core.inodes import Dir
from kit.embedded.images import registry
from kit.embedded.images.busybox.image import devices, shell_files
from kit.embedded.images.curl import AUTHORITIES, curl_files
from kit.embedded.images.curl.transfer import STORE
from kit.runtime.credentials import Credentials
from kit.runtime.tls import OpenSsl

HERE = Path(__file__).parent
RECORDER = runpy.run_path(str(HERE / "record_curl.py"))
MADE = runpy.run_path(str(HERE.parent / "runtime" / "record_trust.py"))
LINES = json.loads((HERE / "curl_lines.json").read_text(encoding="utf-8"))
TRY = "curl: try 'curl --help' or 'curl --manual' for more information\n"


def box() -> Box:
    """Return a container with curl and the small server that the lines were recorded against."""
    files = {
        **shell_files(without=frozenset(("wget",))),
        **devices(),
        **curl_files(),
        "/tmp": Dir(mode=0o1777),
        "/w": None,
    }
    made = Box(Tree(build(files)))
    made.servers["127.0.0.1", RECORDER["PORT"]] = lambda data: (
        RECORDER["answer"](data) if RECORDER["whole"](data) else None
    )
    return made


def run(line: str, **more: Any) -> tuple[str, str, int]:
    out, err, code = box().run(["sh", "-c", RECORDER["command"](line)], cwd="/w", **more)
    return RECORDER["normal"](out), RECORDER["normal"](err), code


@pytest.mark.parametrize("case", LINES, ids=lambda case: case["line"])
def test_recorded_lines(case: dict[str, Any]) -> None:
    """Standard output, standard error and exit code are the real ones."""
    assert run(case["line"]) == (case["stdout"], case["stderr"], case["code"])


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        ("curl -sS http://", "curl: (3) URL rejected: No host part in the URL\n", 3),
        ("curl -sS 'http://a b/'", "curl: (3) URL rejected: Malformed input to a URL function\n", 3),
        ("curl -sS http://127.0.0.1:99999/", "curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535\n", 3),
        ("curl -sS http://nosuch", "curl: (6) Could not resolve host: nosuch\n", 6),
        ("curl -s", f"curl: (2) no URL specified\n{TRY}", 2),
        ("curl --no-data x U", f"curl: option --no-data: the given option cannot be reversed with a --no- prefix\n{TRY}", 2),
        ("curl --sil U", f"curl: option --sil: is unknown\n{TRY}", 2),
        ("curl -sS U/short -o /dev/null", "curl: (18) end of response with 91 bytes missing\n", 18),
        (
            "curl -sSo /nodir/x U/",
            "curl: (23) Failure writing output to destination, passed 6 returned 0\n",
            23,
        ),
        (
            "curl -d @nofile U/echo",
            f"curl: Failed to open nofile\ncurl: option -d: error encountered when reading a file\n{TRY}",
            26,
        ),
        ("curl -s -T nofile U/echo", f"curl: cannot open 'nofile'\n{TRY}", 26),
        ("curl -sS --cacert /nofile U/", "", 0),  # nothing to verify
        (
            "curl --proxy http://p U",
            "curl: option --proxy: is not simulated by the embedded cluster (a kind cluster runs the real curl)\n",
            2,
        ),
        ("curl -sF a=b U", "curl: option -sF: is not simulated by the embedded cluster (a kind cluster runs the real curl)\n", 2),
        (
            "curl -s -w '%{json}' U/zero",
            "curl: --write-out variable 'json' is not simulated by the embedded cluster (a kind cluster runs the real curl)\n",
            0,
        ),
    ],
)  # fmt: skip
def test_words_of_today(line: str, said: str, code: int) -> None:
    """What 8.14 says where the recorded version said something else, and what only a simulated one says."""
    _, err, status = run(line)
    assert (err, status) == (said, code)


def test_what_it_tells_with_verbose() -> None:
    """The way to the server, the question, the answer's head; each with its mark."""
    out, err, code = run("curl -sv U/")
    assert (out, code) == ("hello\n", 0)
    assert err == (
        "*   Trying 127.0.0.1:18999...\n* Connected to 127.0.0.1 (127.0.0.1) port 18999\n* using HTTP/1.x\n"
        "> GET / HTTP/1.1\r\n> Host: 127.0.0.1:18999\r\n> User-Agent: curl/<version>\r\n> Accept: */*\r\n> \r\n"
        "* Request completely sent off\n< HTTP/1.1 200 OK\r\n< Server: test\r\n< Content-Type: text/plain\r\n"
        "< Content-Length: 6\r\n< Connection: close\r\n< \r\n{ [6 bytes data]\n* shutting down connection #0\n"
    )


def test_terminal_has_no_meter_and_no_binary() -> None:
    """On a terminal the body itself is shown, without a meter; what would mess it up is not."""
    made = box()
    made.servers["127.0.0.1", 80] = lambda data: b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0b" if data else None
    assert made.run(["curl", "http://127.0.0.1:18999/"], tty=True) == (b"hello\n", b"", 0)
    out, err, code = made.run(["curl", "-s", "-S", "127.0.0.1"], tty=True)
    assert (out, code) == (b"", 23)
    assert err.startswith(b"curl: (23) ")
    assert made.run(["curl", "-s", "127.0.0.1", "-o", "-"], tty=True) == (b"a\0b", b"", 0)


def test_retries_wait_longer_each_time() -> None:
    """1, 2, 4 s between tries, or as long as the server or --retry-delay says."""
    for options, waits in (("--retry 3", 7), ("--retry 3 --retry-delay 5", 15)):
        made = box()
        before = made.now
        line = RECORDER["command"](f"curl {options} -s -o /dev/null -w '%{{http_code}}' U/status/503-X")
        assert made.run(["sh", "-c", line])[0] == b"503"
        assert (made.now - before) // 1000 == waits
    _, err, code = run("curl --retry 1 --retry-connrefused http://127.0.0.1:1/ 2>&1 >&2 | grep -v %")
    del code
    assert "Warning: Problem: connection refused. Will retry in 1.000 second. 1 retry left." in _ + err


# --- on the real runtime ---


@pytest.fixture
def net(tmp_path: Path) -> wire.Net:
    made = wire.Net()
    made.clock.epoch = int(MADE["NOW"].timestamp() * 1000)
    made.fabric.tls = OpenSsl(Credentials(tmp_path, "t").folder)
    return made


def test_asks_the_nginx_beside_it(net: wire.Net) -> None:
    """`curl -s localhost` in the container of nginx, as everybody does first."""
    web = wire.Box(net, registry().resolve("nginx:1.30"))
    assert "Welcome to nginx!" in web.exec("curl", "-s", "localhost")[0]
    assert web.exec("curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", "localhost") == (
        "200 0.001000",
        "",
        0,
    )
    assert web.exec("curl", "-sSf", "localhost/no") == ("", "curl: (22) The requested URL returned error: 404\n", 22)
    said = "curl: (7) Failed to connect to localhost port 81 after 0 ms: Could not connect to server\n"
    assert web.exec("curl", "-sS", "localhost:81") == ("", said, 7)
    assert '"GET / HTTP/1.1" 200 896 "-" "curl/8.14.1"' in web.out.decode()


def test_time_limits(net: wire.Net) -> None:
    """-m and --connect-timeout end what takes too long, a ms after they are over; the meter goes on meanwhile."""
    conf = "server { listen 80; location / { proxy_pass http://192.0.2.1; } }"
    web = wire.Box(net, registry().resolve("nginx:1.30"), files={"/etc/nginx/conf.d/default.conf": conf})
    out, err, code = web.exec("curl", "-sS", "-m", "2", "localhost", ms=5000)
    assert (out, err, code) == (
        "",
        "curl: (28) Operation timed out after 2001 milliseconds with 0 bytes received\n",
        28,
    )
    for option in ("-m", "--connect-timeout"):
        found = web.exec("curl", "-sS", option, "1.5", "http://192.0.2.1", ms=5000)
        assert found == ("", "curl: (28) Connection timed out after 1501 milliseconds\n", 28)
    _, err, _ = web.exec("curl", "-m", "3", "localhost", ms=5000)
    assert "0:00:01 --:--:--" in err
    assert "0:00:02 --:--:--" in err


@pytest.fixture
def secure(net: wire.Net) -> wire.Box:
    """Return nginx with a certificate for `localhost`, signed by the authority /t/ca.crt; port 8443 shows one for `other`."""
    root = MADE["Made"]("root", ca=True)
    files = {"/t/ca.crt": root.pem, "/t/junk": "junk\n"}
    for name in ("localhost", "other"):
        made = MADE["Made"](name, root, names=(name,))
        key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files |= {f"/t/{name}.crt": made.pem, f"/t/{name}.key": key.decode()}
    servers = [
        f"server {{ listen {port} ssl; ssl_certificate /t/{name}.crt; ssl_certificate_key /t/{name}.key; return 200 ok; }}"
        for port, name in ((443, "localhost"), (8443, "other"))
    ]
    files["/etc/nginx/conf.d/default.conf"] = "\n".join([*servers, "server { listen 80; return 200 plain; }"])
    return wire.Box(net, registry().resolve("nginx:1.30"), files=files)


HELP = (
    "More details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\n"
    "establish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the webpage mentioned above.\n"
)


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        ("-s https://localhost", ("", "", 60)),
        ("-sS https://localhost", ("", f"curl: (60) SSL certificate problem: unable to get local issuer certificate\n{HELP}", 60)),
        ("-sk https://localhost", ("ok", "", 0)),
        ("-s --cacert /t/ca.crt https://localhost", ("ok", "", 0)),
        ("-s -o /dev/null -w %{scheme}:%{ssl_verify_result} https://localhost", ("https:20", "", 60)),
        (
            "-sS --cacert /t/ca.crt https://localhost:8443",
            ("", f"curl: (60) SSL: no alternative certificate subject name matches target hostname 'localhost'\n{HELP}", 60),
        ),
        ("-sS --cacert /t/junk https://localhost", ("", "curl: (77) error adding trust anchors from file: /t/junk\n", 77)),
        ("-sS --cacert /t/no https://localhost", ("", "curl: (77) error adding trust anchors from file: /t/no\n", 77)),
        ("-sSk https://localhost:80", ("", "curl: (35) TLS connect error: error:0A0000C6:SSL routines::packet length too long\n", 35)),
    ],
)  # fmt: skip
def test_https(secure: wire.Box, argv: str, found: tuple[str, str, int]) -> None:
    """Who is trusted is what --cacert or the image's own store says, which holds nobody of the cluster."""
    assert secure.exec("curl", *argv.split()) == found


def test_an_authority_added_to_the_store_is_trusted(secure: wire.Box) -> None:
    """As `update-ca-certificates` would, or by the variable that curl looks at."""
    assert secure.exec("curl", "-s", "https://localhost", env={"CURL_CA_BUNDLE": "/t/ca.crt"}) == ("ok", "", 0)
    secure.exec("sh", "-c", f"cat /t/ca.crt >> {STORE}")
    assert secure.exec("curl", "-s", "https://localhost") == ("ok", "", 0)


@pytest.mark.parametrize(
    ("image", "there"),
    [
        ("nginx:1.30", True),
        ("nginx:1.30-alpine", True),
        ("nginx:1.30-alpine-slim", False),
        ("nginx:1.18.0", True),
        ("nginx:1.14.2", False),
        ("python:3.13", True),
        ("python:3.13-slim", False),
        ("python:3-alpine", False),
        ("busybox:1.37", False),
    ],
)
def test_images_that_bring_it(image: str, there: bool) -> None:
    """The publishers' images have it or not."""
    tree = Tree(registry().resolve(image).root)
    assert tree.exists("/usr/bin/curl") is there
    assert not there or tree.read(STORE) == AUTHORITIES
