"""Sockets of a container, and waiting for several descriptors at once."""

from __future__ import annotations

import pytest

from kit.embedded.core.program import (
    Accept,
    Close,
    Connect,
    Errno,
    Listen,
    Now,
    Pipe,
    Poll,
    Read,
    Resolve,
    Shutdown,
    Sleep,
    Spawn,
    Write,
)


def server(ctx):
    listener = yield Listen(80)
    while True:
        connection = yield Accept(listener)
        data = yield Read(connection)
        while data:
            yield Write(connection, data.upper())
            data = yield Read(connection)
        yield Close(connection)


def test_poll_times_out_and_sees_data(bench):
    def main(ctx):
        r, w = yield Pipe()
        began = yield Now()
        assert (yield Poll((r,), 30)) == ()
        assert (yield Now()) - began == 30

        def later(inner):
            yield Sleep(10)
            yield Write(3, b"x")
            return 0

        yield Spawn("later", ("later",), {}, fds={3: w}, program=later)
        assert (yield Poll((r,), 1000)) == (r,)
        assert (yield Poll((r,), 0)) == (r,)
        assert (yield Now()) - began < 60
        return 0

    box = bench.box(main)
    bench.run(500)
    assert box.exits == [0]


def test_sockets_between_pods(bench):
    def client(ctx):
        fd = yield Connect("10.244.1.9", 80)
        yield Write(fd, b"hello")
        assert (yield Read(fd)) == b"HELLO"
        yield Shutdown(fd)
        assert (yield Read(fd)) == b""
        for address, port, name in (
            ("10.244.1.9", 81, "ECONNREFUSED"),
            ("10.244.1.77", 80, "EHOSTUNREACH"),
            ("10.96.3.3", 80, "ETIMEDOUT"),
        ):
            with pytest.raises(Errno) as error:
                yield Connect(address, port, 4000)
            assert error.value.name == name
        with pytest.raises(Errno) as error:
            yield Resolve("nobody")
        assert error.value.name == "ENXDOMAIN"
        return 0

    bench.box(server, host=bench.host("10.244.1.9", "pod default/server"))
    bench.run(5)
    box = bench.box(
        client, {"/etc/resolv.conf": b"search default.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"}
    )
    bench.run(20_000)
    assert box.exits == [0]
    connects = [step.detail["hops"] for step in bench.trace.since(0) if step.verb == "connect"]
    assert connects[0] == ["pod default/p", "10.244.1.9:80"]


def test_a_dead_server_resets_and_back_pressure_holds_a_writer(bench):
    def deaf(ctx):
        listener = yield Listen(80)
        yield Accept(listener)
        yield Sleep(100)
        return 0

    def client(ctx):
        fd = yield Connect("10.244.1.9", 80)
        sent = 0
        try:
            while True:
                yield Write(fd, b"x" * 65536)
                sent += 65536
                ctx.state["sent"] = sent
        except Errno as error:
            ctx.state["error"] = error.name
        return 0

    bench.box(deaf, host=bench.host("10.244.1.9"))
    bench.run(5)
    box = bench.box(client, host=bench.host("10.244.1.3"))
    bench.run(50)
    assert box.container.setup.state["sent"] == 256 * 1024
    bench.run(500)
    assert box.container.setup.state["error"] == "ECONNRESET"
