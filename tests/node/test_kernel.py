"""The kernel of a container: processes, pipes, signals, files, users."""

from __future__ import annotations

import pytest

from kit.embedded.core.program import (
    Close,
    Dup,
    Errno,
    Exec,
    Kill,
    Open,
    Pipe,
    Processes,
    Read,
    Signal,
    Sleep,
    Spawn,
    Trap,
    Wait,
    Write,
)


def hello(ctx):
    yield Write(1, " ".join(ctx.argv).encode() + b"\n")
    return 0


def test_writes_and_exits(bench):
    box = bench.box(hello, argv=("main", "a"))
    bench.run(10)
    assert (bytes(box.out), box.exits) == (b"main a\n", [0])


def test_writing_nothing_does_not_wait(bench):
    """Not even where there is no room, or nobody who takes it."""

    def main(ctx):
        assert (yield Write(1, b"")) == 0
        _, w = yield Pipe()
        yield Write(w, b"x" * 65536)
        return (yield Write(w, b""))

    box = bench.box(main)
    bench.run(10)
    assert box.exits == [0]


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

    from kit.embedded.core.inodes import File

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

    from kit.embedded.core.inodes import File

    box = bench.box(main, {"/etc/secret": File(b"s", 0o600)}, uid=1000)
    bench.run(100)
    assert box.exits == [0]
