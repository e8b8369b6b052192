"""What bounds a container: CPU, memory, the number of processes; a fault stays where it is."""

from __future__ import annotations

import pytest

from kit.embedded.core.program import Allocate, Burn, Errno, Now, Open, Read, Sleep, Spawn, Wait, Write
from kit.embedded.node.runtime import Limits


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


def test_a_fault_in_a_program_ends_that_program_only(bench):
    def broken(ctx):
        yield Now()
        raise KeyError("oops")

    box = bench.box(broken)
    bench.run(5)
    assert box.exits == [134]
    assert [step.verb for step in bench.trace.since(0)] == ["fault"]


def test_big_blocks_take_their_share_of_the_cpu(bench):
    def copy(ctx):
        source, target = (yield Open("/dev/zero", "r")), (yield Open("/dev/null", "w"))
        while True:
            yield Write(target, (yield Read(source, 1 << 20)))

    box = bench.box(copy)
    bench.run(1000)
    assert box.container.cpu_us <= 1_010_000
    assert box.main.cpu_us >= 900_000
    assert bench.run(1100) <= 101  # a slice a millisecond, each of at most one block or two
