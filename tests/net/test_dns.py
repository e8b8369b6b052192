"""The cluster's DNS: what each kind of name gives, and how the C library asks."""

from __future__ import annotations

import pytest

from kit.embedded.net.dns import Resolver, parse_hosts, parse_resolv

ZONE = "default.svc.cluster.local"
RESOLV = "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"


@pytest.fixture
def names(net):
    ports = [{"name": "http", "port": 8080}]
    net.service("web", [{"name": "http", "port": 80}])
    net.service("head", [{"name": "http", "port": 80}], cluster_ip="None")
    ends = [
        ("10.244.1.2", "n", "head-0", {"hostname": "head-0"}),
        ("10.244.2.2", "n", "x", {}),
        ("10.244.3.3", "n", "y", {"ready": False, "serving": False}),
    ]
    net.slice("head", ends, ports)
    net.service("none", [{"port": 80}], cluster_ip="None")
    net.service("away", [], type="ExternalName", externalName="example.com")
    net.service("alias", [], type="ExternalName", externalName=f"web.{ZONE}")
    return net


@pytest.mark.parametrize(
    "name, kind, code, values",
    [
        (f"web.{ZONE}", "A", "NOERROR", ["10.96.0.50"]),
        (f"WEB.{ZONE}.", "A", "NOERROR", ["10.96.0.50"]),
        (f"web.{ZONE}", "AAAA", "NOERROR", []),
        (f"head.{ZONE}", "A", "NOERROR", ["10.244.1.2", "10.244.2.2"]),
        (f"head-0.head.{ZONE}", "A", "NOERROR", ["10.244.1.2"]),
        (f"10-244-2-2.head.{ZONE}", "A", "NOERROR", ["10.244.2.2"]),
        (f"nobody.head.{ZONE}", "A", "NXDOMAIN", []),
        (f"none.{ZONE}", "A", "NXDOMAIN", []),
        (f"nosuch.{ZONE}", "A", "NXDOMAIN", []),
        (f"_http._tcp.web.{ZONE}", "SRV", "NOERROR", [f"0 100 80 web.{ZONE}."]),
        (
            f"_http._tcp.head.{ZONE}",
            "SRV",
            "NOERROR",
            [f"0 100 8080 head-0.head.{ZONE}.", f"0 100 8080 10-244-2-2.head.{ZONE}."],
        ),
        (f"_x._tcp.web.{ZONE}", "SRV", "NXDOMAIN", []),
        (f"away.{ZONE}", "A", "NOERROR", ["example.com."]),
        (f"alias.{ZONE}", "A", "NOERROR", [f"web.{ZONE}.", "10.96.0.50"]),
        ("10-244-9-9.default.pod.cluster.local", "A", "NOERROR", ["10.244.9.9"]),
        ("1-2-3-4.nosuch.pod.cluster.local", "A", "NXDOMAIN", []),
        ("50.0.96.10.in-addr.arpa", "PTR", "NOERROR", [f"web.{ZONE}."]),
        ("2.1.244.10.in-addr.arpa", "PTR", "NOERROR", [f"head-0.head.{ZONE}."]),
        (ZONE, "A", "NOERROR", []),
        ("svc.cluster.local", "A", "NOERROR", []),
        ("example.com", "A", "NXDOMAIN", []),
    ],
)
def test_answers(names, name, kind, code, values):
    answer = names.fabric.dns.answer(name, kind)
    assert (answer.code, [value for *_, value in answer.records]) == (code, values)


def test_the_search_list():
    resolver = parse_resolv(RESOLV)
    assert resolver == Resolver(("10.96.0.10",), ("default.svc.cluster.local", "svc.cluster.local", "cluster.local"), 5)
    assert resolver.candidates("web")[0] == f"web.{ZONE}" and resolver.candidates("web")[-1] == "web"
    assert resolver.candidates("a.b.c.d.e.f")[0] == "a.b.c.d.e.f"
    assert resolver.candidates("web.") == ["web"]
    assert parse_hosts("127.0.0.1\tlocalhost\n::1 localhost\n1.2.3.4 a b # c\n") == {
        "localhost": "127.0.0.1",
        "a": "1.2.3.4",
        "b": "1.2.3.4",
    }


@pytest.mark.parametrize(
    "name, expected, took",
    [
        ("web", ["10.96.0.50"], 1),
        ("web.default", ["10.96.0.50"], 2),
        (f"web.{ZONE}", ["10.96.0.50"], 4),
        ("nosuch", "ENXDOMAIN", 4),
        ("1.2.3.4", ["1.2.3.4"], 0),
        ("me", ["10.244.1.9"], 0),
    ],
)
def test_resolve(names, name, expected, took):
    found = []
    began = names.clock.now
    client = names.pod("10.244.1.9", "client")
    names.fabric.resolve(
        client,
        name,
        {"me": "10.244.1.9"},
        parse_resolv(RESOLV),
        lambda result: found.append((result, names.clock.now - began)),
    )
    names.run(20_000)
    assert found == [(expected, took)]


def test_a_server_that_is_not_there_times_out(names):
    found = []
    client = names.pod("10.244.1.9", "client")
    names.fabric.resolve(client, "web", {}, parse_resolv("nameserver 9.9.9.9\n"), found.append)
    names.fabric.query(client, "web", "A", "9.9.9.9", found.append)
    names.run(20_000)
    assert found == [None, "ETIMEDOUT"]
