"""The driver's clocks: real time, settled time, budget, pauses, order of commit and release."""

from __future__ import annotations

import asyncio

import pytest

from kit.embedded.core.turns import Request, Response, Ticket
from kit.runtime.clocks import Realtime, Settled
from kit.runtime.driver import Driver


class Wall:
    """A wall clock that only the test moves."""

    def __init__(self):
        self.ms = 1_000.0

    def __call__(self):
        return self.ms


class Keep:
    def __init__(self, log):
        self.rows, self.log = [], log

    def commit(self, rows):
        if rows:
            self.rows += rows
            self.log.append("commit")


class Take:
    def __init__(self, log=None):
        self.answers, self.log = [], log if log is not None else []

    def answer(self, response):
        self.answers.append(response)
        self.log.append("answer")

    def begin(self, begin):
        self.log.append("begin")

    def chunk(self, channel, data):
        self.log.append(("chunk", channel, data))

    def finish(self, channel, status, error):
        self.log.append("finish")


def ask(method, path, *query):
    return lambda number: Request(number, method, path, query)


async def passes(count=50):
    for _ in range(count):
        await asyncio.sleep(0)


def drive(machine, clock, body, **options):
    log = []

    async def run():
        driver = Driver(machine, Keep(log), clock, unix=lambda: machine.epoch + machine.now, **options)
        driver.start()
        await passes()
        try:
            return await body(driver, log)
        finally:
            driver.stop()

    return asyncio.run(run())


def test_settled_time_moves_to_quiet_after_a_write_and_stands_for_reads(fake_machine):
    machine = fake_machine()

    async def body(driver, log):
        sink = Take()
        driver.submit(sink, ask("GET", "/x"))
        await passes()
        assert machine.now == 0
        driver.submit(sink, ask("POST", "/later", ("ms", "7000")))
        await passes()
        assert machine.now == 7000
        assert [row.key for row in driver._journal.rows] == ["7000"]
        driver.submit(sink, ask("GET", "/x"))
        await passes()
        assert machine.now == 7000

    drive(machine, Settled(0), body)


def test_settled_time_goes_at_most_thirty_seconds_after_a_write(fake_machine):
    machine = fake_machine()

    async def body(driver, log):
        driver.submit(Take(), ask("POST", "/later", ("ms", "60000")))
        await passes()
        assert machine.now == 30_000
        clock = driver.clock
        driver.do(lambda: clock.jump(30_000), writes=False)
        await driver.until(lambda: machine.now >= 60_000)
        assert [row.key for row in driver._journal.rows] == ["60000"]

    drive(machine, Settled(0), body)


def test_housekeeping_does_not_keep_a_settled_cluster_going(fake_machine):
    machine = fake_machine()

    async def body(driver, log):
        driver.submit(Take(), ask("POST", "/later", ("ms", "10000"), ("quietly", "1")))
        await passes()
        assert machine.now == 0
        assert driver.quiet()

    drive(machine, Settled(0), body)


def test_who_reads_after_a_write_sees_what_came_of_it(fake_machine):
    machine = fake_machine()

    async def body(driver, log):
        first, second = Take(), Take()
        driver.submit(first, ask("POST", "/later", ("ms", "5000")))
        driver.submit(second, ask("GET", "/x"))
        await passes()
        import json

        assert json.loads(second.answers[0].body)["now"] == 5000
        assert json.loads(first.answers[0].body)["now"] == 0

    drive(machine, Settled(0), body)


def test_an_open_exec_moves_settled_time_until_quiet(fake_machine):
    machine = fake_machine()

    async def body(driver, log):
        sink = Take()
        driver.submit(sink, ask("GET", "/api/v1/namespaces/a/pods/p/exec"))
        machine.queue.put(100_000, lambda: None)
        await passes()
        assert sink.log == ["begin"]
        assert machine.now == 100_000

    drive(machine, Settled(0), body)


def test_real_time_follows_the_wall_and_its_speed(fake_machine):
    machine, wall = fake_machine(), Wall()
    clock = Realtime(0, wall.ms)

    async def body(driver, log):
        wall.ms += 400
        driver.submit(Take(), ask("GET", "/x"))
        await passes()
        assert machine.now == 400
        clock.speed = 10.0
        wall.ms += 100
        driver.submit(Take(), ask("GET", "/x"))
        await passes()
        assert machine.now == 1400

    drive(machine, clock, body, wall=wall)


def test_a_jump_of_the_wall_pauses(fake_machine):
    machine, wall = fake_machine(), Wall()

    async def body(driver, log):
        wall.ms += 3_600_000
        driver.submit(Take(), ask("GET", "/x"))
        await passes()
        assert machine.now == 0

    drive(machine, Realtime(0, wall.ms), body, wall=wall)


def test_after_a_pause_ages_are_what_they_were(fake_machine):
    machine, wall, unix = fake_machine(epoch=1_000_000), Wall(), [1_000_000]
    log = []

    async def run():
        driver = Driver(machine, Keep(log), Realtime(0, wall.ms), wall=wall, unix=lambda: unix[0])
        driver.start()
        await passes()
        unix[0] += 3_600_000
        wall.ms += 3_600_000
        driver.submit(Take(), ask("GET", "/x"))
        await passes()
        assert machine.epoch + machine.now == pytest.approx(unix[0], abs=1000)
        driver.stop()

    asyncio.run(run())


def test_advance_runs_what_is_due_on_the_way_and_makes_all_older(fake_machine):
    machine, wall = fake_machine(epoch=9_000_000), Wall()

    async def body(driver, log):
        driver.submit(Take(), ask("POST", "/later", ("ms", "200000")))
        await passes()
        driver.jump(300_000)
        await driver.until(lambda: machine.now >= 300_000)
        assert machine.epoch == 8_700_000
        assert [row.key for row in driver._journal.rows] == ["200000"]

    drive(machine, Realtime(0, wall.ms), body, wall=wall)


def test_time_stands_still_while_work_is_undone(fake_machine):
    wall = Wall()
    machine = fake_machine(step=lambda: None)

    async def body(driver, log):
        driver._budget = 16
        for _ in range(100):
            machine.queue.put(0, lambda: setattr(wall, "ms", wall.ms + 10))
        driver.submit(Take(), ask("GET", "/x"))
        await passes()
        assert wall.ms >= 2000
        assert machine.now <= 10 * 16 + 10
        assert len(set(machine.targets)) <= 3

    drive(machine, Realtime(0, wall.ms), body, wall=wall)


def test_rows_are_committed_before_answers_are_released(fake_machine):
    machine = fake_machine()

    async def body(driver, log):
        from kit.embedded.core.store import Row

        def write(request, ticket):
            machine.rows.append(Row("t", "k", b"v"))
            ticket.answer(Response(200, (), b""))

        machine.request = write
        driver.submit(Take(log), ask("POST", "/x"))
        await passes()
        assert log == ["commit", "answer"]

    drive(machine, Settled(0), body)


def test_a_broken_turn_stops_the_driver_and_says_so(fake_machine):
    machine = fake_machine()
    told = []

    async def body(driver, log):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        driver.on_failure = told.append
        driver._journal.commit = lambda rows: (_ for _ in ()).throw(OSError("disk full"))
        driver.submit(Take(log), ask("POST", "/x"))
        await passes()
        assert [str(error) for error in told] == ["disk full"]
        assert log == []

    drive(machine, Settled(0), body)


def test_a_ticket_that_was_hung_up_hears_nothing(fake_machine):
    from kit.embedded.core.turns import Hangup

    machine = fake_machine()

    async def body(driver, log):
        sink = Take()
        number = driver.submit(sink, ask("GET", "/hang"))
        await passes()
        assert isinstance(machine.tickets[number], Ticket)
        driver.feed(Hangup(number))
        await passes()
        assert machine.gone == [number]
        assert driver.open_tickets == 0

    drive(machine, Settled(0), body)


def test_a_step_that_breaks_is_left_behind(fake_machine, caplog):
    machine = fake_machine()

    async def body(driver, log):
        machine.queue.put(0, lambda: 1 // 0)
        sink = Take()
        driver.submit(sink, ask("POST", "/x"))
        await passes()
        assert len(sink.answers) == 1
        assert driver.level()
        assert "ZeroDivisionError" in caplog.text

    drive(machine, Settled(0), body)
