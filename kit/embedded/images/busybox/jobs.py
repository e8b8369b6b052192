"""Children, background jobs, signals and traps of one shell."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.core.program import Errno, Killed, Trap, Wait
from kit.embedded.images.busybox.lexer import Lexer
from kit.embedded.images.busybox.parser import Parser
from kit.embedded.images.busybox.state import Exit, Failure, Jump
from kit.embedded.images.busybox.syntax import Node, SyntaxFailure
from kit.embedded.images.busybox.trampoline import Interrupted

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

QUIET = frozenset((2, 13))  # a job that ends by INT or PIPE is not announced
SENTENCES = {1: "Hangup", 3: "Quit", 4: "Illegal instruction", 6: "Aborted", 8: "Arithmetic exception", 9: "Killed",
             10: "User defined signal 1", 11: "Segmentation fault", 12: "User defined signal 2", 14: "Alarm clock",
             15: "Terminated"}  # fmt: skip
CORES = frozenset((3, 4, 6, 8, 11))  # signals that leave a core
MAX_JOBS = 500


class Jobs:
    """What the shell knows of its children and of the signals it gets."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.running: dict[int, str] = {}
        self.ended: dict[int, int] = {}

    # --- children ---

    def start(self, pid: int, node: Node) -> None:
        """Remember a background job."""
        if len(self.running) >= MAX_JOBS:
            raise Failure("out of memory", 1)
        self.running[pid] = "sh"
        self.shell.state.last_background = pid

    def foreground(self, pids: list[int]) -> Generator[Any, Any, int]:
        """Wait for a pipeline; its status is the last command's (or, with pipefail, the last that failed)."""
        statuses: list[int] = []
        for pid in pids:
            found = yield from self._wait(pid)
            statuses.append(found)
        status = statuses[-1]
        if isinstance(status, Killed) and status.signal not in QUIET:
            sentence = SENTENCES.get(status.signal, f"Unknown signal {status.signal}")
            yield from self.shell.write(2, f"{sentence}{' (core dumped)' if status.signal in CORES else ''}\n")
        if "pipefail" in self.shell.state.options:
            status = next((each for each in reversed(statuses) if each), 0)
        if isinstance(status, Killed) and status.signal == 2 and "interactive" in self.shell.state.options:
            raise Failure("", 130)
        return int(status)

    def _wait(self, pid: int) -> Generator[Any, Any, int]:
        try:
            found: tuple[int, int] = yield Wait(pid)
        except Errno:
            return 127
        return found[1]

    def wait_all(self) -> Generator[Any, Any, int]:
        """Wait for every background job; a signal with a trap ends the wait with 128 + its number."""
        for pid in list(self.running):
            status = yield from self.wait_one(pid)
            if status < 0:
                return -status
        return 0

    def wait_one(self, pid: int) -> Generator[Any, Any, int]:
        """Wait for one job and return its status, 127 when it isn't ours; negative when a signal came first."""
        if pid in self.ended:
            return self.ended.pop(pid)
        if pid not in self.running:
            return 127
        signals = self.shell.signals
        if signals.pending:
            return -(128 + signals.pending[0])
        signals.breakable = True
        try:
            _, status = yield Wait(pid)
        except Interrupted:
            return -(128 + signals.pending[0])
        except Errno:
            status = 127
        finally:
            signals.breakable = False
        self.running.pop(pid, None)
        return int(status)

    def reap(self) -> Generator[Any, Any, None]:
        """Collect the background jobs that have ended."""
        for pid in list(self.running):
            try:
                found = yield Wait(pid, block=False)
            except Errno:
                found = (pid, 127)
            if found is not None:
                self.ended[pid] = int(found[1])
                del self.running[pid]

    # --- traps ---

    def inherit(self) -> Generator[Any, Any, None]:
        """Ignore in a subshell what its parent ignored."""
        for number, action in self.shell.state.traps.items():
            if number and not action:
                yield Trap(number, "ignore")

    def set_trap(self, number: int, action: str | None) -> Generator[Any, Any, None]:
        """Set what happens on a signal: None the default, "" nothing, else a script; 0 is the shell's exit."""
        traps = self.shell.state.traps
        if action is None:
            traps.pop(number, None)
        else:
            traps[number] = action
        if number and number not in (9, 19):
            yield Trap(number, "default" if action is None else "catch" if action else "ignore")

    def traps(self) -> Generator[Any, Any, None]:
        """Run the traps of the signals that came."""
        signals, state = self.shell.signals, self.shell.state
        while signals.pending:
            number = signals.pending.pop(0)
            action = state.traps.get(number)
            if not action:
                if number == 2 and "interactive" in state.options:
                    raise Failure("", 130)
                continue
            status = state.status
            yield self.shell.jobs.script(action)
            state.status = status

    def farewell(self, status: int) -> Generator[Any, Any, int]:
        """Run the EXIT trap; returns the shell's status."""
        shell = self.shell
        while shell.signals.pending or 0 in shell.state.traps:
            action = shell.state.traps.pop(0, "") if not shell.signals.pending else ""
            shell.state.status = status
            try:
                yield shell.jobs.traps()
                if action:
                    yield self.script(action)
            except Exit as leaving:
                status = leaving.status
            except Failure as error:
                if str(error):
                    yield from shell.complain(str(error), error.command)
                status = error.status
            except Jump:
                pass
        return status

    def script(self, text: str) -> Generator[Any, Any, int]:
        """Run a text as commands in this shell (`eval`, traps); returns the last status."""
        shell = self.shell
        parser = Parser(Lexer(text, shell.line), shell.state.aliases)
        status = 0
        while True:
            try:
                node = parser.command()
            except SyntaxFailure as error:
                raise Failure(f"syntax error: {error}") from None
            if node is None:
                return status
            status = yield shell.node(node)
