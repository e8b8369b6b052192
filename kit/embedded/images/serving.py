"""A TCP server as a program: one process accepts, each connection is served by a child process that shares the server's memory."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from kit.embedded.core.program import Accept, Close, Context, Errno, Kill, Poll, Signal, Spawn, Trap, Wait

CONNECTION = 3  # the child's descriptor
KILL = 9
CHILD = 17

Calls = Generator[Any, Any, Any]
Handler = Callable[["Server", Context, int], Generator[Any, Any, None]]


class Server:
    """Accepts on `listeners` (fds) and runs `handle(server, ctx, port)` for each connection, open as fd 3 in a child.

    `busy` holds the pids that are in the middle of a request: a graceful stop waits for these and ends the others.
    """

    def __init__(
        self, ctx: Context, listeners: dict[int, int], handle: Handler, *, title: str, catch: tuple[int, ...],
        keep: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        self.listeners = listeners
        self.busy: set[int] = set()
        self.children: set[int] = set()
        self._ctx = ctx
        self._handle = handle
        self._title = title
        self._catch = (*catch, CHILD)
        self._keep = keep  # further descriptors that the children inherit
        self._signals: list[int] = []

    def until_signal(self) -> Generator[Any, Any, int]:
        """Serve until a caught signal comes -> its number. May be called again to go on."""
        for number in self._catch:
            yield Trap(number, "catch")
        while not self._signals:
            try:
                ready = yield Poll(tuple(self.listeners))
            except Signal as signal:
                self._note(signal.number)
                ready = ()
            for listener in ready:
                yield from self._take(listener)
            yield from self._reap(block=False)
        return self._signals.pop(0)

    def stop(self, *, graceful: bool) -> Calls:
        """Close the listeners and end the connections: with `graceful` those in the middle of a request may finish."""
        for listener in self.listeners:
            yield from self._steady(Close(listener))
        self.listeners = {}
        for pid in sorted(self.children if not graceful else self.children - self.busy):
            try:
                yield from self._steady(Kill(pid, KILL))
            except Errno:
                continue
        yield from self._reap(block=True)

    def _take(self, listener: int) -> Calls:
        connection = yield from self._steady(Accept(listener))
        port = self.listeners[listener]

        def child(ctx: Context) -> Generator[Any, Any, int]:
            try:
                yield from self._handle(self, ctx, port)
            except Errno as error:
                if error.name not in ("EPIPE", "ECONNRESET"):
                    raise
            finally:
                self.busy.discard(ctx.pid)
            return 0

        fds = {0: 0, 1: 1, 2: 2, CONNECTION: connection, **{fd: fd for fd in self._keep}}
        argv = (self._title,)
        try:
            spawn = Spawn(self._ctx.argv[0], argv, self._ctx.env, self._ctx.cwd, fds, program=child)
            self.children.add((yield from self._steady(spawn)))
        except Errno as error:
            if error.name != "EAGAIN":  # too many processes: the connection is dropped
                raise
        yield from self._steady(Close(connection))

    def _reap(self, *, block: bool) -> Calls:
        try:
            while (ended := (yield from self._steady(Wait(None, block)))) is not None:
                self.children.discard(ended[0])
                self.busy.discard(ended[0])
        except Errno:
            return

    def _steady(self, call: Any) -> Calls:
        """Make a call and make it again when a signal came in between; the signal is kept for later."""
        while True:
            try:
                return (yield call)
            except Signal as signal:
                self._note(signal.number)

    def _note(self, number: int) -> None:
        if number != CHILD:
            self._signals.append(number)
