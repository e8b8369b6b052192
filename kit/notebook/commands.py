"""`!command` of a cell: as IPython runs it, in a terminal of its own, but without the 0.1 s that it sleeps when that is closed."""

from __future__ import annotations

import codecs
import os
import select
import sys
from subprocess import CalledProcessError
from typing import Any

PIECE_S = 0.05  # how often what a command has printed so far is shown
PIECES = 64  # of what a command left, at most: what it began in the background may print for ever
GOODBYE_S = 0.2  # how long an interrupted command may still print


def quicken(shell: Any) -> None:
    """Let `!command` of a kernel's `shell` end when the command ends; other shells (the plain `ipython`) stay as they are."""
    kind = type(shell)
    if sys.platform == "win32" or getattr(kind, "system", None) is not getattr(kind, "system_piped", kind):
        return

    def system(command: str) -> None:
        if command.rstrip().endswith("&"):
            shell.system_piped(command)  # it refuses them, in its own words
            return
        code = run(shell.var_expand(command, depth=1))
        shell.user_ns["_exit_code"] = code
        if code and getattr(shell, "system_raise_on_error", False):
            raise CalledProcessError(code, command)

    shell.system = system


def run(command: str) -> int:
    """Run `sh -c command`, print what it prints as it comes, and return its exit code (less than 0: a signal ended it)."""
    import pexpect  # IPython's own way to a terminal

    child = pexpect.spawn("/bin/sh", ["-c", command])
    child.ptyproc.delayafterclose = 0  # who has been waited for is gone: there is nothing to sleep for
    screen = _Screen(child)
    try:
        while not screen.show(PIECE_S):
            pass
    except KeyboardInterrupt:
        _interrupt(screen)
    child.isalive()  # takes the exit code
    child.close()
    if child.signalstatus is not None:
        return -int(child.signalstatus)
    code = int(child.exitstatus or 0)
    return 128 - code if code > 128 else code


class _Screen:
    """What a command has printed, as far as it was shown."""

    def __init__(self, child: Any) -> None:
        self.child = child
        self._shown = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def show(self, seconds: float) -> bool:
        """Wait for more, at most so long, and print it; tell whether the output has ended."""
        import pexpect

        ended = bool(self.child.expect_list([pexpect.TIMEOUT, pexpect.EOF], seconds))
        new = self.child.before[self._shown :]
        self._shown += len(new)
        new += self._rest() if ended else b""
        sys.stdout.write(self._decoder.decode(new, final=ended))
        sys.stdout.flush()
        return ended

    def _rest(self) -> bytes:
        """Return what pexpect has not read: it takes a command that ended just after its wait for output for one that is through."""
        pieces: list[bytes] = []
        fd = self.child.child_fd
        while len(pieces) < PIECES and select.select([fd], [], [], 0)[0]:
            try:
                pieces.append(os.read(fd, 65536))
            except OSError:  # EIO: nobody has the terminal open any more
                break
            if not pieces[-1]:
                break
        return b"".join(pieces)


def _interrupt(screen: _Screen) -> None:
    """Press Ctrl-C in the terminal, show the last words, and end what does not end."""
    try:
        screen.child.sendline(chr(3))
        screen.show(GOODBYE_S)
    except KeyboardInterrupt:
        pass  # people press it more than once
    finally:
        screen.child.terminate(force=True)
