"""HTTPS: what is answered, what is refused, what is streamed."""

from __future__ import annotations

import gzip
import json
import ssl
import threading

import pytest


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
    try:
        connection.request(
            "POST", "/big", iter([b"x" * (1 << 20)] * 8), {"Transfer-Encoding": "chunked"}, encode_chunked=True
        )
        status = connection.getresponse().status
    except OSError:  # it was closed while we were still sending
        status = 413
    assert status == 413
    assert running.machine.tickets == {}


def test_endless_headers_are_refused(running):
    connection = running.connection()
    try:
        connection.request("GET", "/", headers={"X": "y" * (80 << 10)})
        status = connection.getresponse().status
    except OSError:
        status = 431
    assert status == 431


def test_large_answers_are_packed_for_who_takes_it(running):
    plain = running.call("GET", "/x?size=200000")
    packed = running.call("GET", "/x?size=200000", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.body))["pad"] == plain.json()["pad"]
    assert "Content-Encoding" not in running.call("GET", "/x?size=1000", headers={"Accept-Encoding": "gzip"}).headers


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


def test_a_page_of_the_cluster_itself_may_open_no_websocket(running):
    own = f"https://127.0.0.1:{running.port}"
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "eA==",
    }
    path = "/api/v1/namespaces/a/pods/p/exec?command=ls"
    assert running.call("GET", path, headers={"Origin": own, **upgrade}, admin=False).status == 403
    assert running.call("GET", path, headers={"Origin": "https://evil.example", **upgrade}).status == 403
    assert running.call("GET", path, headers={"Origin": own}).status == 403
