"""The kernel of a container: processes, pipes, signals, files, CPU, memory, sockets."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from kit.embedded.core.program import (
    Accept,
    Allocate,
    Burn,
    Close,
    Connect,
    Dup,
    Errno,
    Exec,
    Kill,
    Listen,
    Now,
    Open,
    Pipe,
    Poll,
    Processes,
    Read,
    Resolve,
    Shutdown,
    Signal,
    Sleep,
    Spawn,
    Trap,
    Wait,
    Write,
)  # fmt: skip
from kit.embedded.node.runtime import Limits

spec = importlib.util.spec_from_file_location("kernel", Path(__file__).with_name("kernel.py"))
kernel = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kernel)


@pytest.fixture
def bench():
    return kernel.Bench()


def hello(ctx):
    yield Write(1, " ".join(ctx.argv).encode() + b"\n")
    return 0


def test_writes_and_exits(bench):
    box = bench.box(hello, argv=("main", "a"))
    bench.run(10)
    assert (bytes(box.out), box.exits) == (b"main a\n", [0])


def test_exit_codes_of_children_and_zombies(bench):
    def seven(ctx):
        yield Sleep(5)
        return 7

    def main(ctx):
        pid = yield Spawn("/bin/seven", ("seven",), {})
        assert (yield Wait(pid, block=False)) is None
        yield Sleep(10)
        table = yield Processes()
        assert [(row[0], row[1], row[4]) for row in table] == [(1, 0, "R"), (2, 1, "Z")]
        found = yield Wait()
        assert found == (pid, 7)
        with pytest.raises(Errno) as error:
            yield Wait()
        assert error.value.name == "ECHILD"
        return found[1]

    box = bench.box(main, {"/bin/seven": seven})
    bench.run(100)
    assert box.exits == [7]


def test_pipe_carries_more_than_it_holds(bench):
    def writer(ctx):
        yield Write(1, b"x" * 200_000)
        return 0

    def main(ctx):
        r, w = yield Pipe()
        yield Spawn("/bin/writer", ("writer",), {}, fds={1: w})
        yield Close(w)
        total = 0
        while data := (yield Read(r)):
            assert len(data) <= 65536
            total += len(data)
        yield Wait()
        yield Write(1, str(total).encode())
        return 0

    box = bench.box(main, {"/bin/writer": writer})
    bench.run(100)
    assert bytes(box.out) == b"200000"


def test_writer_without_reader_dies_of_pipe(bench):
    def yes(ctx):
        while True:
            yield Write(1, b"y\n" * 1000)

    def main(ctx):
        r, w = yield Pipe()
        yield Spawn("/bin/yes", ("yes",), {}, fds={1: w})
        yield Close(w)
        yield Read(r, 4)
        yield Close(r)
        return (yield Wait())[1]

    box = bench.box(main, {"/bin/yes": yes})
    bench.run(1000)
    assert box.exits == [141]


@pytest.mark.parametrize(
    "action, signal, code",
    [
        ("default", 15, 143),
        ("default", 9, 137),
        ("ignore", 15, 3),
        ("catch", 15, 42),
        ("ignore", 9, 137),
        ("default", 17, 3),
    ],
)
def test_signals_to_a_child(bench, action, signal, code):
    def child(ctx):
        yield Trap(15, action)
        try:
            yield Sleep(50)
        except Signal as caught:
            return 42 if caught.number == 15 else 1
        return 3

    def main(ctx):
        pid = yield Spawn("/bin/child", ("child",), {})
        yield Sleep(5)
        yield Kill(pid, signal)
        return (yield Wait(pid))[1]

    box = bench.box(main, {"/bin/child": child})
    bench.run(1000)
    assert box.exits == [code]


def test_pid_1_is_protected_but_not_from_outside(bench):
    def main(ctx):
        yield Kill(1, 15)
        yield Kill(1, 9)
        yield Sleep(1000)
        return 0

    box = bench.box(main)
    bench.run(10)
    box.container.signal(15)
    bench.run(20)
    assert box.exits == []
    box.container.signal(9)
    assert box.exits == [137]


def test_a_signal_interrupts_a_read_and_the_data_stays(bench):
    def main(ctx):
        r, w = yield Pipe()
        yield Trap(10, "catch")

        def poker(inner):
            yield Kill(1, 10)
            yield Write(3, b"late")
            return 0

        yield Spawn("poker", ("poker",), {}, fds={3: w}, program=poker)
        try:
            yield Read(r)
        except Signal:
            yield Write(1, b"caught ")
        yield Write(1, (yield Read(r)))
        return 0

    box = bench.box(main)
    bench.run(100)
    assert bytes(box.out) == b"caught late"


def test_orphans_go_to_pid_1(bench):
    def grandchild(ctx):
        yield Sleep(20)
        return 9

    def child(ctx):
        yield Spawn("/bin/grandchild", ("grandchild",), {}, fds={})
        return 0

    def main(ctx):
        yield Spawn("/bin/child", ("child",), {})
        first = yield Wait()
        second = yield Wait()
        assert (first, second) == ((2, 0), (3, 9))
        return 0

    box = bench.box(main, {"/bin/child": child, "/bin/grandchild": grandchild})
    bench.run(100)
    assert box.exits == [0]


def test_exec_keeps_pid_and_descriptors_and_scripts_find_their_interpreter(bench):
    def shell(ctx):
        yield Write(1, f"{ctx.pid} {ctx.argv}".encode())
        return 4

    def main(ctx):
        for path, name in (("/nofile", "ENOENT"), ("/bin", "EACCES"), ("/plain", "EACCES")):
            with pytest.raises(Errno) as error:
                yield Exec(path, ("x",), {})
            assert error.value.name == name
        yield Exec("/script", ("script", "a"), {})

    from kit.embedded.core.filesystem import File

    files = {"/bin/shell": shell, "/plain": b"text", "/script": File(b"#!/bin/shell -x\nrest\n", 0o755)}
    box = bench.box(main, files)
    bench.run(100)
    assert bytes(box.out) == b"1 ['/bin/shell', '-x', '/script', 'a']"
    assert box.exits == [4]


def test_files_append_truncate_and_devices(bench):
    def main(ctx):
        fd = yield Open("/tmp/f", "w")
        yield Write(fd, b"one")
        more = yield Open("/tmp/f", "a")
        yield Write(more, b"two")
        back = yield Open("/tmp/f")
        assert (yield Read(back)) == b"onetwo"
        assert (yield Read(back)) == b""
        again = yield Open("/tmp/f", "w")
        assert ctx.fs.read("/tmp/f") == b""
        with pytest.raises(Errno) as error:
            yield Open("/tmp/f", "x")
        assert error.value.name == "EEXIST"
        full = yield Open("/dev/full", "w")
        with pytest.raises(Errno) as error:
            yield Write(full, b"x")
        assert error.value.name == "ENOSPC"
        zero = yield Open("/dev/zero")
        assert (yield Read(zero, 4)) == b"\0\0\0\0"
        assert (yield Dup(1, 30)) == 30
        yield Write(30, b"done")
        yield Close(again)
        return 0

    box = bench.box(main)
    bench.run(100)
    assert (bytes(box.out), box.exits) == (b"done", [0])


def test_users_are_bound_by_mode_bits(bench):
    def main(ctx):
        with pytest.raises(Errno) as error:
            yield Open("/etc/secret")
        assert error.value.name == "EACCES"
        with pytest.raises(Errno) as error:
            yield Open("/etc/new", "w")
        assert error.value.name == "EACCES"
        return 0

    from kit.embedded.core.filesystem import File

    box = bench.box(main, {"/etc/secret": File(b"s", 0o600)}, uid=1000)
    bench.run(100)
    assert box.exits == [0]


def test_an_endless_loop_takes_its_share_only(bench):
    def loop(ctx):
        while True:
            yield Now()

    box = bench.box(loop)
    entries = bench.run(1000)
    assert entries <= 1001
    assert box.container.cpu_us == pytest.approx(1_000_000, rel=0.01)


def test_a_cpu_limit_slows_work(bench):
    def work(ctx):
        yield Burn(50_000)
        yield Write(1, b".")
        yield Burn(50_000)
        yield Write(1, b".")
        return 0

    fast = bench.box(work)
    slow = bench.box(work, limits=Limits(cpu_us=100))  # 100m
    bench.run(110)
    assert fast.exits == [0]
    assert slow.exits == []
    bench.run(1100)
    assert slow.exits == [0]
    bench.run(2000)
    assert bytes(slow.out) == b".."


def test_memory_over_the_limit_kills_the_largest(bench):
    def hog(ctx):
        size = 0
        while True:
            size += 4 << 20
            yield Allocate(size)
            yield Sleep(1)

    def main(ctx):
        yield Allocate(1 << 20)
        yield Spawn("/bin/hog", ("hog",), {})
        return (yield Wait())[1]

    box = bench.box(main, {"/bin/hog": hog}, limits=Limits(memory=32 << 20))
    bench.run(100)
    assert (box.exits, box.container.oom) == ([137], True)
    alone = bench.box(hog, limits=Limits(memory=32 << 20))
    bench.run(200)
    assert (alone.exits, alone.container.oom) == ([137], True)


def test_a_fork_bomb_is_bounded(bench):
    def bomb(ctx):
        while True:
            try:
                yield Spawn("/bin/main", ("main",), {})
            except Errno as error:
                ctx.state["error"] = error.name
                yield Sleep(1000)

    box = bench.box(bomb)
    bench.run(200)
    assert len(box.container.processes) == 512
    assert box.container.setup.state["error"] == "EAGAIN"


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


def server(ctx):
    listener = yield Listen(80)
    while True:
        connection = yield Accept(listener)
        data = yield Read(connection)
        while data:
            yield Write(connection, data.upper())
            data = yield Read(connection)
        yield Close(connection)


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


def test_a_fault_in_a_program_ends_that_program_only(bench):
    def broken(ctx):
        yield Now()
        raise KeyError("oops")

    box = bench.box(broken)
    bench.run(5)
    assert box.exits == [134]
    assert [step.verb for step in bench.trace.since(0)] == ["fault"]
