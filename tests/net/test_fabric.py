"""Ways through the network: Pods, Services, node ports, the outside; how each fails, and how long that takes."""

from __future__ import annotations

import pytest

from kit.embedded.core.turns import Expose
from kit.embedded.net.wires import End

PORTS = [{"name": "", "port": 8080, "protocol": "TCP"}]


@pytest.fixture
def web(net):
    """A Service of two Pods on two nodes, port 80 → 8080, with a node port."""
    net.pod("10.244.1.2", "web-1", "lab-worker", 8080)
    net.pod("10.244.2.2", "web-2", "lab-worker2", 8080)
    net.client = net.pod("10.244.1.9", "client")
    net.service("web", [{"port": 80, "targetPort": 8080, "nodePort": 30080}], type="NodePort")
    net.slice("web", [("10.244.1.2", "lab-worker", "web-1", {}), ("10.244.2.2", "lab-worker2", "web-2", {})], PORTS)
    return net


@pytest.mark.parametrize(
    "address, port, error, within",
    [
        ("10.244.1.2", 8080, "", 2),
        ("10.244.1.2", 81, "ECONNREFUSED", 2),
        ("10.96.0.50", 80, "", 2),
        ("10.96.0.50", 81, "ETIMEDOUT", 127_000),
        ("10.96.9.9", 80, "ETIMEDOUT", 127_000),
        ("10.244.1.77", 80, "EHOSTUNREACH", 3_000),
        ("93.184.216.34", 80, "ETIMEDOUT", 127_000),
        ("127.0.0.1", 8080, "ECONNREFUSED", 0),
        ("172.18.0.2", 30080, "", 2),
        ("172.18.0.2", 30081, "ECONNREFUSED", 2),
    ],
)
def test_from_a_pod(web, address, port, error, within):
    result, took = web.connect(web.client, address, port)
    assert (result if error else isinstance(result, End)) == (error or True)
    assert took <= within
    assert took >= within - 150


def test_a_timeout_of_the_caller_comes_first(web):
    assert web.connect(web.client, "10.96.9.9", 80, timeout_ms=3000) == ("ETIMEDOUT", 3000)


def test_endpoints_are_chosen_at_random_and_recorded(web):
    seen = {web.connect(web.client, "10.96.0.50", 80)[0].peer.local[0] for _ in range(20)}
    assert seen == {"10.244.1.2", "10.244.2.2"}
    hops = web.trace.since(0)[-1].detail["hops"]
    assert hops[0] == "pod default/client"
    assert hops[1] == "service default/web 10.96.0.50:80"
    assert hops[2].startswith("pod default/web-")


def test_the_server_sees_the_pod_and_the_client_the_service(web):
    end, _ = web.connect(web.client, "10.96.0.50", 80)
    assert end.remote == ("10.96.0.50", 80)
    assert end.peer.remote[0] == "10.244.1.9"


def test_no_endpoints_is_refused_at_once(web):
    web.slice("web", [], PORTS)
    assert web.connect(web.client, "10.96.0.50", 80) == ("ECONNREFUSED", 2)


def test_unready_endpoints_get_nothing_but_terminating_ones_do_at_last(web):
    unready = {"ready": False, "serving": False}
    leaving = {"ready": False, "serving": True, "terminating": True}
    web.slice(
        "web", [("10.244.1.2", "lab-worker", "web-1", unready), ("10.244.2.2", "lab-worker2", "web-2", leaving)], PORTS
    )
    assert {web.connect(web.client, "10.96.0.50", 80)[0].peer.local[0] for _ in range(9)} == {"10.244.2.2"}
    web.slice("web", [("10.244.1.2", "lab-worker", "web-1", unready)], PORTS)
    assert web.connect(web.client, "10.96.0.50", 80)[0] == "ECONNREFUSED"


def test_session_affinity_holds_for_its_time(web):
    web.service(
        "web",
        [{"port": 80, "targetPort": 8080}],
        sessionAffinity="ClientIP",
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": 300}},
    )
    first = {web.connect(web.client, "10.96.0.50", 80)[0].peer.local[0] for _ in range(1)}
    again = set()
    for _ in range(12):
        found = []
        web.fabric.connect(web.client, "10.96.0.50", 80, found.append)
        web.run(10)
        again.add(found[0].peer.local[0])
    assert len(again | first) == 1 or len(again) == 1


def test_external_traffic_policy_local_drops_where_no_endpoint_is(web):
    web.service(
        "web", [{"port": 80, "targetPort": 8080, "nodePort": 30080}], type="NodePort", externalTrafficPolicy="Local"
    )
    assert web.connect(web.fabric.outside, "172.18.0.2", 30080, timeout_ms=5000)[0] == "ETIMEDOUT"
    assert {web.connect(web.fabric.outside, "172.18.0.3", 30080)[0].peer.local[0] for _ in range(9)} == {"10.244.1.2"}


def test_named_target_ports_without_a_match_are_refused(web):
    web.slice("web", [("10.244.1.2", "lab-worker", "web-1", {})], [])
    assert web.connect(web.client, "10.96.0.50", 80)[0] == "ECONNREFUSED"


def test_host_ports(web):
    host = web.fabric.hosts["10.244.1.2"]
    web.fabric.host_ports["lab-worker", 8081] = (host, 8080)
    assert web.connect(web.client, "172.18.0.3", 8081)[0].peer.local[0] == "10.244.1.2"
    web.fabric.detach(host)
    assert web.connect(web.client, "172.18.0.3", 8081)[0] == "ECONNREFUSED"


def test_node_ports_are_exposed_once_and_closed(web):
    web.service("web", [{"port": 80, "targetPort": 8080, "nodePort": 30080}], type="NodePort")
    assert web.outputs == [Expose("default/web:30080", "172.18.0.2", 30080, True)]
    web.service("web", [{"port": 80, "targetPort": 8080}])
    assert web.outputs[1:] == [Expose("default/web:30080", "172.18.0.2", 30080, False)]


@pytest.mark.parametrize(
    "url, status, error",
    [
        ("http://172.18.0.2:30080/a", 200, ""),
        ("http://172.18.0.4:30080/", 200, ""),
        ("http://127.0.0.1:30080/", 200, ""),
        ("http://localhost:30080/", 200, ""),
        ("http://lab-worker:30080/", 200, ""),
        ("http://10.244.1.2:8080/", 0, "timeout"),
        ("http://10.96.0.50/", 0, "timeout"),
        ("http://172.18.0.2:30081/", 0, "refused"),
        ("http://web/", 0, "NXDOMAIN"),
        ("ftp://x/", 0, "bad url"),
    ],
)
def test_fetch_from_outside(web, url, status, error):
    result = web.fetch(url, timeout_ms=3000)
    assert (result["status"], result["error"]) == (status, error)
    if status:
        assert result["body"].endswith("GET /a HTTP/1.1" if url.endswith("a") else "GET / HTTP/1.1")
        assert result["took_ms"] < 20


def test_fetch_from_a_pod_uses_names(web):
    result = web.fetch("http://web/x", "pod:default/client")
    assert result["status"] == 200
    assert result["hops"][1] == "dns web → 10.96.0.50"


def test_dial_carries_bytes_and_ends(web, stub):
    web.fabric.dial("outside", "172.18.0.2", 30080, stub.ticket)
    web.run(10)
    assert stub.outputs[0].upgrade == "raw"
    stub.ticket.on_data(0, b"GET /d HTTP/1.1\r\nHost: x\r\n\r\n")
    web.run(10)
    assert b"GET /d" in stub.data()


def test_dial_says_how_it_failed(web, stub):
    web.fabric.dial("outside", "10.244.1.2", 8080, stub.ticket)
    web.run(31_000)
    assert stub.error == "timeout"


def test_forward_reaches_loopback_and_fails_with_the_runtimes_words(web, stub):
    pod = {"metadata": {"uid": "ab-cd", "name": "web-1"}, "status": {"podIP": "10.244.1.2"}}
    web.fabric.forward(pod, 8080, stub.ticket)
    web.run(5)
    stub.ticket.on_data(0, b"GET /f HTTP/1.1\r\nHost: x\r\n\r\n")
    web.run(5)
    assert b"GET /f" in stub.data()
    other = type(stub)()
    web.fabric.forward(pod, 9999, other.ticket)
    web.run(5)
    assert other.error.startswith("error forwarding port 9999 to pod ")
    assert "dial tcp4 127.0.0.1:9999: connect: connection refused" in other.error


def test_ping(web):
    found = []
    for address in ("10.244.1.2", "10.96.0.50", "127.0.0.1"):
        web.fabric.ping(web.client, address, 1000, found.append)
    web.run(2000)
    assert sorted(found, key=str) == [0, 2, None]


def test_window_and_half_close(web):
    end, _ = web.connect(web.client, "10.244.1.2", 8080)
    end.peer.watch = lambda: None
    assert end.send(b"x" * 400_000) == 256 * 1024
    assert end.send(b"x") == 0
    web.run(5)
    assert len(end.peer.recv(300_000)) == 256 * 1024
    assert end.send(b"yz") == 2
    end.shutdown()
    end.peer.send(b"still")
    web.run(5)
    assert (end.peer.recv(), end.peer.recv(), end.recv()) == (b"yz", b"", b"still")
    web.fabric.detach(web.fabric.hosts["10.244.1.2"])
    web.run(5)
    assert end.reset
