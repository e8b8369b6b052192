"""HTTPS: what is answered, what is refused, what is streamed."""

from __future__ import annotations

import gzip
import json
import re
import ssl
import threading

import pytest

from kit.embedded.core.turns import Response
from kit.runtime.packing import GZIP_FROM, packed


def test_a_request_reaches_the_machine_and_its_answer_comes_back(running):
    answer = running.call("POST", "/api/v1/namespaces/a%2Fb/pods?x=1&x=2", b"hello")
    assert answer.status == 200
    assert answer.json()["query"] == [["x", "1"], ["x", "2"]]
    assert answer.json()["path"] == "/api/v1/namespaces/a/b/pods"
    assert answer.json()["body"] == "hello"


def test_one_connection_carries_many_requests(running):
    connection = running.connection()
    for number in range(20):
        connection.request("GET", f"/n/{number}")
        assert json.loads(connection.getresponse().read())["path"] == f"/n/{number}"
    connection.close()


@pytest.mark.parametrize(
    "headers, words",
    [
        ({"Host": "evil.example"}, "evil.example"),
        ({"Host": "127.0.0.1.evil.example:443"}, "evil.example"),
        ({"Origin": "https://127.0.0.1"}, "Origin"),
        ({"Origin": "null"}, "Origin"),
    ],
)
def test_a_web_page_is_refused(running, headers, words):
    answer = running.call("GET", "/version", headers=headers)
    assert answer.status == 403
    assert words in answer.json()["message"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:6443", "kubernetes.default", "[::1]:6443", "Kubernetes.Default.svc"]
)
def test_the_names_of_the_cluster_are_welcome(running, host):
    assert running.call("GET", "/version", headers={"Host": host}).status == 200


def test_a_body_of_more_than_three_megabytes_is_413(running):
    connection = running.connection()
    connection.putrequest("POST", "/big")
    connection.putheader("Content-Length", str((3 << 20) + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["message"] == "Request entity too large: limit is 3145728"
    assert running.call("POST", "/big", b"x" * (3 << 20)).status == 200


def test_a_chunked_body_is_bounded_too(running):
    connection = running.connection()
    connection.request(
        "POST", "/big", iter([b"x" * (1 << 20)] * 8), {"Transfer-Encoding": "chunked"}, encode_chunked=True
    )
    assert connection.getresponse().status == 413
    assert running.machine.tickets == {}


def test_endless_headers_are_refused(running):
    connection = running.connection()
    connection.request("GET", "/", headers={"X": "y" * (300 << 10)})
    assert connection.getresponse().status == 431
    assert running.call("GET", "/" + "y" * (100 << 10)).status == 200


def test_large_answers_are_packed_for_who_takes_it(running):
    plain = running.call("GET", "/x?size=200000")
    packed = running.call("GET", "/x?size=200000", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.body))["pad"] == plain.json()["pad"]
    assert "Content-Encoding" not in running.call("GET", "/x?size=1000", headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize(
    ("said", "packs"),
    [
        ("gzip", True),
        ("br,gzip", True),
        ("deflate, gzip;q=0.5", False),
        ("gzip;q=0", False),
        ("*", False),
        ("GZIP", False),
    ],
)
def test_gzip_must_be_named_by_itself(running, said, packs):
    """As recorded from a real API server."""
    answer = running.call("GET", "/x?size=200000", headers={"Accept-Encoding": said})
    assert (answer.headers.get("Content-Encoding") == "gzip") is packs
    assert (answer.headers.get("Vary") == "Accept-Encoding") is packs


def test_only_what_is_larger_than_the_threshold_is_packed_and_nothing_with_an_etag():
    body = bytes(GZIP_FROM)
    assert packed(Response(200, (), body), "gzip").body == body
    assert packed(Response(200, (), body + b"x"), "gzip").body != body + b"x"
    assert packed(Response(200, (("ETag", '"1"'),), body + b"x"), "gzip").body == body + b"x"


def test_every_answer_says_when_and_what_it_is_called_in_audit_logs(running):
    answers = [running.call("GET", path) for path in ("/x", "/watch", "/x")]
    assert len({answer.headers["Audit-Id"] for answer in answers}) == 3
    assert all(re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", answer.headers["Date"]) for answer in answers)
    assert running.call("GET", "/x", headers={"Audit-ID": "my-own"}).headers["Audit-Id"] == "my-own"


def test_a_watch_is_streamed_and_ends(running):
    answer = running.call("GET", "/watch")
    assert [json.loads(line)["n"] for line in answer.body.splitlines()] == [0, 1, 2]
    assert answer.headers["Transfer-Encoding"] == "chunked"


def test_the_machine_hears_when_a_client_goes(running):
    connection = running.connection()
    connection.request("GET", "/hang")
    response = connection.getresponse()
    assert response.readline() == b"first\n"
    heard = threading.Event()
    running.do(lambda: setattr(running.machine, "gone", _Telling(heard)))
    response.close()
    connection.close()
    assert heard.wait(5)


class _Telling(list):
    def __init__(self, event):
        super().__init__()
        self._event = event

    def append(self, item):
        super().append(item)
        self._event.set()


def test_a_client_certificate_names_its_user(running, tmp_path):
    certificate, key = running.credentials.client_certificate("jane", ("devs", "ops"))
    (tmp_path / "c.pem").write_bytes(certificate + key)
    running.context.load_cert_chain(tmp_path / "c.pem")
    assert running.call("GET", "/x", admin=False).json()["who"] == ["jane", "devs", "ops"]


def test_a_certificate_of_another_authority_is_refused(running, tmp_path):
    from kit.runtime.credentials import Credentials

    other = tmp_path / "other"
    other.mkdir()
    certificate, key = Credentials(other, "x").client_certificate("system:admin", ("system:masters",))
    (tmp_path / "c.pem").write_bytes(certificate + key)
    running.context.load_cert_chain(tmp_path / "c.pem")
    with pytest.raises((ssl.SSLError, OSError)):
        running.call("GET", "/x", admin=False)


def test_http_1_0_and_head_are_answered(running):
    assert running.call("HEAD", "/x").body == b""


def test_a_stream_without_upgrade_is_400_as_the_real_one_says(running):
    answer = running.call("GET", "/api/v1/namespaces/a/pods/p/exec?command=ls")
    assert (answer.status, answer.json()["message"]) == (400, "Upgrade request required")


EXEC = "/api/v1/namespaces/a/pods/p/exec?command=ls&stdout=true"
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "eA==",
    "Sec-WebSocket-Protocol": "v4.channel.k8s.io",
}


def dial(running, changes=(), *, method="GET", path=EXEC, admin=True):
    """Open a WebSocket as the official Python client does, with some headers otherwise (None: without), and return the status."""
    host = f"127.0.0.1:{running.port}"
    sent = {"Host": host, "Origin": f"https://{host}", **UPGRADE}
    if admin:
        sent["Authorization"] = f"Bearer {running.credentials.token_text}"
    connection = running.connection()
    connection.putrequest(method, path, skip_host=True)
    for name, value in {**sent, **dict(changes)}.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse().status


def test_a_program_that_names_the_server_itself_is_let_in(running):
    assert dial(running) == 101
    own = f"localhost:{running.port}"
    assert dial(running, {"Host": own, "Origin": f"https://{own}"}) == 101


def test_a_client_certificate_counts_as_a_token(running, tmp_path):
    assert dial(running, admin=False) == 403
    certificate, key = running.credentials.client_certificate("jane", ("devs",))
    (tmp_path / "c.pem").write_bytes(certificate + key)
    running.context.load_cert_chain(tmp_path / "c.pem")
    assert dial(running, admin=False) == 101
    assert dial(running, {"Origin": "https://evil.example"}, admin=False) == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"Authorization": None},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YTpi"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "https://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1:PORT"},
        {"Origin": "https://localhost:PORT"},
        {"Origin": "https://127.0.0.1:PORT/"},
        {"Origin": "https://127.0.0.1:PORT, https://evil.example"},
        {"Origin": "https://user@127.0.0.1:PORT"},
        {"Host": "evil.example:PORT", "Origin": "https://evil.example:PORT"},
        {"Host": "127.0.0.1.evil.example:PORT", "Origin": "https://127.0.0.1.evil.example:PORT"},
        {"Host": "kubernetes:PORT", "Origin": "https://kubernetes:PORT"},
        {"Host": "127.0.0.1:1", "Origin": "https://127.0.0.1:1"},
        {"Host": "127.0.0.1", "Origin": "https://127.0.0.1"},
        {"Host": None},
        {"Upgrade": None},
        {"Connection": "keep-alive"},
        {"Upgrade": "h2c"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Mode": "websocket"},
        {"Cookie": "a=b"},
    ],
    ids=str,
)
def test_every_part_of_the_exception_is_needed(running, changes):
    port = str(running.port)
    assert dial(running, {key: value and value.replace("PORT", port) for key, value in changes.items()}) in {400, 403}
    assert running.machine.tickets == {}


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
def test_only_get_opens_a_websocket_with_an_origin(running, method):
    assert dial(running, method=method) == 403


def test_a_plain_request_is_never_let_in_with_an_origin(running):
    own = f"https://127.0.0.1:{running.port}"
    for method, path in (("GET", "/version"), ("POST", "/api/v1/namespaces"), ("GET", "/kit/v1/clock"), ("GET", EXEC)):
        assert running.call(method, path, headers={"Origin": own}).status == 403


def test_a_page_is_not_told_what_it_may_do(running):
    answer = running.call(
        "OPTIONS", "/api/v1/pods", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_a_token_in_the_query_is_no_token(running):
    assert running.call("GET", f"/kit/v1/clock?token={running.credentials.token_text}", admin=False).status == 401
