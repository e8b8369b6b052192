"""nginx that speaks TLS: its words about certificates (as the real 1.30.6 says them), its answers, what stands behind it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import wirebox as wire
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kit.embedded.images import registry
from kit.embedded.net.http import Ask, Exchange, Reply, Trust
from kit.runtime.credentials import Credentials
from kit.runtime.tls import OpenSsl

RECORDER = runpy.run_path(str(Path(__file__).parents[1] / "runtime" / "record_trust.py"))
CONF = "/etc/nginx/conf.d/default.conf"
LISTEN = "listen 443 ssl;"
PAIR = "ssl_certificate /t/a.crt; ssl_certificate_key /t/a.key;"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Return certificates and keys of two names, the authority's certificate, and junk."""
    root = RECORDER["Made"]("root", ca=True)
    found = {"/t/junk": "junk\n", "/t/empty": "", "/t/dir/x": "", "/t/ca.crt": root.pem}
    for name in "ab":
        made = RECORDER["Made"](name, root, names=(name,))
        key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        found |= {f"/t/{name}.crt": made.pem, f"/t/{name}.key": key.decode()}
    return found


@pytest.fixture
def net(tmp_path: Path) -> wire.Net:
    made = wire.Net()
    made.clock.epoch = int(RECORDER["NOW"].timestamp() * 1000)
    made.fabric.tls = OpenSsl(Credentials(tmp_path, "t").folder)
    return made


def nginx(net: wire.Net, files: dict[str, str], *servers: str) -> wire.Box:
    conf = "\n".join(f"server {{ {one} }}" for one in servers)
    return wire.Box(net, registry().resolve("nginx:1.30"), files={**files, CONF: conf})


def get(net: wire.Net, port: int, path: str = "/", trust: Trust | None = None, host: str = "a") -> Reply:
    """Make one request."""
    replies: list[Reply] = []
    ask = Ask("10.244.1.2", port, "GET", path, [("Host", host)], trust=trust)
    Exchange(net.fabric, net.outside, ask, 5000, replies.append, housekeeping=False)
    net.run(500)
    return replies[0]


NO_FILE = (
    'cannot load certificate{what} "{path}": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:'
    "calling fopen({path}, r) error:10000080:BIO routines::no such file)"
)
NO_START = (
    'cannot load certificate "{path}": PEM_read_bio_X509_AUX() failed '
    "(SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)"
)


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (LISTEN, f'no "ssl_certificate" is defined for the "listen ... ssl" directive in {CONF}:1'),
        (f"{LISTEN} ssl_certificate /t/a.crt;", 'no "ssl_certificate_key" is defined for certificate "/t/a.crt"'),
        (f"{LISTEN} ssl_certificate /t/no; ssl_certificate_key /t/a.key;", NO_FILE.format(what="", path="/t/no")),
        (f"{LISTEN} ssl_certificate /t/a.crt; ssl_certificate_key /t/no;", NO_FILE.format(what=" key", path="/t/no")),
        ("listen 80; ssl_certificate no; ssl_certificate_key x;", NO_FILE.format(what="", path="/etc/nginx/no")),
        (f"{LISTEN} ssl_certificate /t/junk; ssl_certificate_key /t/a.key;", NO_START.format(path="/t/junk")),
        (f"{LISTEN} ssl_certificate /t/empty; ssl_certificate_key /t/a.key;", NO_START.format(path="/t/empty")),
        (f"{LISTEN} ssl_certificate /t/dir; ssl_certificate_key /t/a.key;", NO_START.format(path="/t/dir")),
        (
            f"{LISTEN} ssl_certificate /t/a.crt; ssl_certificate_key /t/junk;",
            (
                'cannot load certificate key "/t/junk": PEM_read_bio_PrivateKey() failed '
                "(SSL: error:1E08010C:DECODER routines::unsupported:No supported data to decode. Input type: PEM)"
            ),
        ),
        (
            f"{LISTEN} ssl_certificate /t/a.crt; ssl_certificate_key /t/b.key;",
            'SSL_CTX_use_PrivateKey("/t/b.key") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)',
        ),
        (
            f"{LISTEN} {PAIR} ssl_verify_client on;",
            f'directive "ssl_verify_client" is not simulated by the embedded cluster (a kind cluster runs the real nginx) in {CONF}:1',
        ),
    ],
)
def test_a_certificate_that_can_not_be_used(net: wire.Net, files: dict[str, str], server: str, why: str) -> None:
    box = nginx(net, files, server)
    assert box.exits == [1]
    assert box.err.decode().endswith(f"nginx: [emerg] {why}\n")


def test_answers_and_names(net: wire.Net, files: dict[str, str]) -> None:
    say = 'location / { return 200 "$scheme $https $host"; } location /r { return 301 /x; }'
    other = f"{LISTEN} server_name b; ssl_certificate /t/b.crt; ssl_certificate_key /t/b.key; {say}"
    nginx(net, files, f"listen 80; {LISTEN} {PAIR} {say}", other)
    authority = files["/t/ca.crt"].encode()
    for name in ("a", "b"):
        assert get(net, 443, trust=Trust(name, authority), host=name).body == f"https on {name}".encode()
    assert get(net, 80).body == b"http  a"
    assert dict(get(net, 443, "/r", Trust("a", authority)).headers)["Location"] == "https://a/x"
    assert get(net, 443, trust=Trust("c", authority)).error.endswith("x509: certificate is valid for a, not c")
    assert get(net, 443, trust=Trust("a", b"")).error.endswith("x509: certificate signed by unknown authority")


def test_http_on_the_port_of_https_and_the_other_way_round(net: wire.Net, files: dict[str, str]) -> None:
    nginx(net, files, f"listen 80; {LISTEN} {PAIR}")
    plain = get(net, 443)
    assert plain.status == 400
    assert b"<center>The plain HTTP request was sent to HTTPS port</center>" in plain.body
    assert get(net, 80, trust=Trust("a")).error == "http: server gave HTTP response to HTTPS client"


def test_a_server_behind_speaks_tls(net: wire.Net, files: dict[str, str]) -> None:
    front = (
        "listen 80; location / { proxy_pass https://127.0.0.1/; } location /no/ { proxy_pass https://127.0.0.1:80/; }"
    )
    box = nginx(net, files, front, f'{LISTEN} {PAIR} location / {{ return 200 "behind"; }}')
    assert get(net, 80).body == b"behind"
    assert get(net, 80, "/no/").status == 502
    wrong = "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream"
    assert wrong in box.err.decode()


def test_a_long_answer_passes_whole(net: wire.Net, files: dict[str, str]) -> None:
    big = json.dumps(list(range(200_000)))
    nginx(net, {**files, "/usr/share/nginx/html/big": big}, f"{LISTEN} {PAIR} root /usr/share/nginx/html;")
    assert get(net, 443, "/big", Trust("a")).body.decode() == big


def test_a_new_certificate_is_taken_up_by_a_reload(net: wire.Net, files: dict[str, str]) -> None:
    box = nginx(net, files, f'{LISTEN} {PAIR} location / {{ return 200 "x"; }}')
    authority: Any = files["/t/ca.crt"].encode()
    for name, end in (("b", "crt"), ("b", "key")):
        box.tree.write(f"/t/a.{end}", files[f"/t/{name}.{end}"].encode())
    assert get(net, 443, trust=Trust("a", authority)).status == 200
    box.signal(1)
    assert get(net, 443, trust=Trust("b", authority)).status == 200
