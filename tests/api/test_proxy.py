"""Proxies to Pods and Services: bytes and headers go through, what is about one hop does not; and a kubelet's plain refusal."""

from __future__ import annotations

import base64

from kit.kube import status

POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"},
    "spec": {"nodeName": "lab-worker", "containers": [{"name": "c", "image": "nginx:1.30", "ports": [{"containerPort": 8080}]}]},
}  # fmt: skip
BLOB = bytes(range(256))


class Backend:
    """A network that keeps what it is asked and answers with what it is given."""

    def __init__(self, headers=(), body=b"", error=""):
        self.asked = []
        self.result = {
            "status": 200,
            "headers": headers,
            "body": "?",
            "body_base64": base64.b64encode(body).decode(),
            "error": error,
        }

    def fetch(self, source, request, done):
        self.asked.append(request)
        done(self.result)


def stand(world, backend):
    """Make a Pod with an address, and put the backend behind it."""
    path = "/api/v1/namespaces/default/pods"
    assert world.call("POST", path, POD).code == 201
    pod = world.call("GET", f"{path}/p").body
    pod["status"] |= {"phase": "Running", "podIP": "10.244.1.7", "podIPs": [{"ip": "10.244.1.7"}]}
    reply = world.call("PUT", f"{path}/p/status", pod)
    assert reply.code == 200, reply.body["message"]
    world.api.network = backend
    return f"{path}/p"


def test_bytes_go_both_ways_as_they_are(world):
    backend = Backend(body=BLOB)
    path = stand(world, backend)
    reply = world.call("POST", f"{path}/proxy/a b", raw=BLOB)
    assert reply.response.body == BLOB
    assert base64.b64decode(backend.asked[0]["body_base64"]) == BLOB
    assert backend.asked[0]["url"] == "http://10.244.1.7:8080/a%20b"


def test_headers_of_one_hop_stay_there(world):
    backend = Backend(
        [("Transfer-Encoding", "chunked"), ("Connection", "keep-alive, X-Mine"), ("Keep-Alive", "timeout=5"), ("X-Mine", "1"),
         ("Content-Length", "999"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Type", "text/html"), ("Upgrade", "h2c")]
    )  # fmt: skip
    path = stand(world, backend)
    sent = {
        "Connection": "close, X-Drop",
        "X-Drop": "1",
        "TE": "trailers",
        "X-Keep": "1",
        "Via": "me",
    }
    reply = world.call("GET", f"{path}/proxy/", headers=sent)
    assert reply.response.headers == (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Type", "text/html"))
    names = {name.lower() for name, _ in backend.asked[0]["headers"]}
    assert "x-keep" in names and not names & {"connection", "x-drop", "te", "authorization", "host"}


def test_what_can_not_be_reached_says_why(world):
    path = stand(world, Backend(error="refused"))
    assert world.call("GET", f"{path}/proxy/").code == 503
    for port in ("x", "99999", "0", "80@evil", "9" * 5000):
        reply = world.call("GET", f"{path}:{port}/proxy/")
        assert (reply.code, reply.body["reason"]) == (503, "ServiceUnavailable"), port


def test_a_kubelets_refusal_is_plain_text(world):
    path = stand(world, Backend())

    class Kubelet:
        def reached(self, name):
            return True

        def execute(self, pod, container, argv, options, ticket):
            raise status.KubeletRefusal(f'container not found ("{container}")')

    world.api.nodes = Kubelet()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    reply = world.call("GET", f"{path}/exec", headers=headers, command="ls", stdout="true")
    assert (reply.code, reply.response.body) == (500, b'container not found ("c")')
    assert reply.headers == {"Content-Type": "text/plain; charset=utf-8"}
