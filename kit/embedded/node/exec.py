"""`kubectl exec` and `attach`: processes joined to the channels of a ticket. Models the CRI streaming server and its error texts.

A refusal before the ticket begins is the kubelet's: plain text, not an object; kubectl puts `unable to upgrade connection: ` before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kit.embedded.core.program import SIGNALS, Errno
from kit.embedded.core.turns import Ticket
from kit.embedded.node.actions import exec_error
from kit.embedded.node.descriptors import Description, Pipe, Sink
from kit.embedded.node.logs import Line
from kit.embedded.node.processes import Process
from kit.embedded.node.runtime import Container
from kit.embedded.node.terminals import Terminal
from kit.embedded.node.units import Unit
from kit.errors import Status
from kit.kube.status import KubeletRefusal

IN, OUT, ERR, RESIZE = 0, 1, 2, 4
RESET = "reset"  # the connection to the kubelet broke
SUCCESS: dict[str, Any] = {"metadata": {}, "status": "Success"}


def refusal(text: str) -> Status:
    """Return the kubelet's plain-text refusal of an upgrade."""
    return KubeletRefusal(text)


def ended(code: int) -> dict[str, Any]:
    """Return the Status that ends an exec."""
    if code == 0:
        return SUCCESS
    return {
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit code {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }  # fmt: skip


def failed(text: str) -> dict[str, Any]:
    """Return the Status of a program that could not be started; the API server wraps the runtime's error once more."""
    inner = f"Internal error occurred: error executing command in container: {text}"
    message = f"Internal error occurred: {inner}"
    details = {"causes": [{"message": inner}]}
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "InternalError",
        "details": details,
        "code": 500,
    }


class Session:
    """One exec: a process of the container whose streams are the ticket's channels."""

    def __init__(self, unit: Unit, argv: list[str], options: Mapping[str, bool], ticket: Ticket) -> None:
        container = unit.container
        if container is None:
            raise refusal(f'container not found ("{unit.name}")')
        self._container: Container = container
        self._ticket = ticket
        self._pipe: Pipe | None = None
        self._terminal: Terminal | None = None
        self._process: Process | None = None
        ticket.begin(upgrade="channels")
        fds = self._streams(options)
        try:
            self._process = container.launch(argv, unit.env, unit.workdir, fds, self._terminal)
        except Errno as error:
            ticket.finish(failed(exec_error(error, argv[0], container.world.ids.hexes(64))))
            return
        container.attended += 1
        self._process.group = self._process.pid
        self._process.on_exit = self._exited
        ticket.on_data, ticket.on_end, ticket.on_close = self._data, self._end, self._gone

    def _streams(self, options: Mapping[str, bool]) -> dict[int, Description]:
        if options.get("tty"):
            terminal = self._terminal = Terminal(lambda data: self._ticket.send(data, OUT), self._signal)
            terminal.refs += 1
            return {0: terminal, 1: terminal, 2: terminal}
        everything = lambda sink, size: size  # noqa: E731
        fds: dict[int, Description] = {}
        if options.get("stdin"):
            self._pipe = Pipe()
            fds[0] = self._pipe.reader
        else:
            fds[0] = Sink(lambda data: None, everything)
        fds[1] = Sink(lambda data: self._ticket.send(data, OUT) if options.get("stdout", True) else None, everything)
        fds[2] = Sink(lambda data: self._ticket.send(data, ERR) if options.get("stderr", True) else None, everything)
        return fds

    def _data(self, channel: int, data: bytes) -> None:
        if channel == RESIZE:
            _resize(self._terminal, data)
        elif channel == IN and self._terminal is not None:
            self._terminal.feed(data)
        elif channel == IN and self._pipe is not None and not self._pipe.reader.closed:
            self._pipe.buffer += data  # the client's bytes are here already: they are taken whatever the pipe holds
            self._pipe.reader.notify()

    def _end(self, channel: int) -> None:
        if channel == IN and self._terminal is not None:
            self._terminal.hangup()
        elif channel == IN and self._pipe is not None:
            self._pipe.writer.close()

    def _gone(self) -> None:
        """The client is gone: input ends; as with containerd the process lives on, with a terminal it is hung up."""
        self._end(IN)
        if self._terminal is not None:
            self._signal(SIGNALS["HUP"])

    def _signal(self, number: int) -> None:
        group = self._process.group if self._process is not None else 0
        for process in list(self._container.processes.values()):
            if process.group == group:
                process.signal(number)

    def _exited(self, code: int) -> None:
        self._container.attended -= 1
        if self._container.lost:
            self._ticket.finish(error=RESET)
        else:
            self._ticket.finish(ended(code))


class Attachment:
    """One attach: what the main process says from now on, and its input."""

    def __init__(self, unit: Unit, pod: str, options: Mapping[str, bool], ticket: Ticket) -> None:
        log = unit.log
        if unit.container is None or log is None:
            raise refusal(f"container {unit.name} not found in pod {pod}")
        self._unit = unit
        self._log = log
        self._container = unit.container
        self._ticket = ticket
        self._options = options
        main = unit.container.processes[1]
        self._terminal = main.tty if isinstance(main.tty, Terminal) else None
        ticket.begin(upgrade="channels")
        ticket.on_data, ticket.on_end, ticket.on_close = self._data, self._end, self._stop
        if self._terminal is not None:
            self._before = self._terminal.out
            self._terminal.out = self._shown
        log.followers[self] = self._heard

    def _shown(self, data: bytes) -> None:
        self._before(data)
        self._ticket.send(data, OUT)

    def _heard(self, line: Line | None) -> None:
        if line is None:
            self._stop()
            if self._container.lost:
                self._ticket.finish(error=RESET)
            else:
                self._ticket.finish(SUCCESS)
        elif self._terminal is None and self._options.get(line.stream, True):
            self._ticket.send(line.data, OUT if line.stream == "stdout" else ERR)

    def _data(self, channel: int, data: bytes) -> None:
        if channel == RESIZE:
            _resize(self._terminal, data)
        elif channel == IN and self._terminal is not None:
            self._terminal.feed(data)
        elif channel == IN and self._unit.stdin is not None and not self._unit.stdin.reader.closed:
            self._unit.stdin.buffer += data
            self._unit.stdin.reader.notify()

    def _end(self, channel: int) -> None:
        once = self._unit.spec.get("stdinOnce")
        if channel == IN and self._unit.stdin is not None and once:
            self._unit.stdin.writer.close()

    def _stop(self) -> None:
        self._log.followers.pop(self, None)
        if self._terminal is not None:
            self._terminal.out = self._before


def _resize(terminal: Terminal | None, data: bytes) -> None:
    if terminal is None:
        return
    try:
        size = json.loads(data)
        terminal.rows, terminal.columns = int(size["Height"]), int(size["Width"])
    except (ValueError, KeyError, TypeError):
        return
