"""Builtins about processes: kill, wait, jobs, umask, ulimit, times."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.core.program import Burn, Errno, Kill, Processes
from kit.embedded.images.busybox.builtins.control import NAMES, signal_number
from kit.embedded.images.busybox.state import Failure
from kit.embedded.images.busybox.words import integer, natural

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, int]
REFUSED = "not simulated: there is no job control here"


def signal_lines(words: list[str]) -> str:
    """Return what `kill -l` prints."""
    if not words:
        return "".join(f"{number:2}) {NAMES[number]}\n" for number in sorted(NAMES))
    lines: list[str] = []
    for word in words:
        number = signal_number(word) if not word.isdigit() else int(word[:6]) & 127
        if word.isdigit():
            lines.append(NAMES.get(number or 0, word))
        else:
            lines.append(str(number) if number is not None else word)
    return "".join(line + "\n" for line in lines)


class BadSignal(Exception):
    """`kill` was given a signal that doesn't exist."""


def take_signal(words: list[str]) -> int:
    """Take `-9`, `-TERM`, `-s TERM` off the words of a `kill`; 15 when there is none."""
    if not words or not words[0].startswith("-") or words[0] == "-":
        return 15
    word = words.pop(0)
    if word == "--":
        return 15
    name = word[1:]
    if name == "s" and words:
        name = words.pop(0)
    number = signal_number(name)
    if number is None:
        raise BadSignal(name)
    if words[:1] == ["--"]:
        words.pop(0)
    return number


def kill(shell: Shell, argv: list[str]) -> Steps:
    """Send a signal to processes or `%jobs`."""
    words = argv[1:]
    if words[:1] == ["-l"]:
        yield from shell.write(1, signal_lines(words[1:]))
        return 0
    try:
        number = take_signal(words)
    except BadSignal as error:
        yield from shell.write(2, f"sh: bad signal name '{error}'\n")
        return 1
    if not words:
        yield from shell.write(2, "sh: you need to specify whom to kill\n")
        return 1
    status = 0
    for word in words:
        pid = _job(shell, word) if word.startswith("%") else integer(word)
        if pid is None:
            yield from shell.write(2, f"sh: invalid number '{word}'\n")
            status = 1
            continue
        try:
            yield Kill(pid, number)
        except Errno as error:
            yield from shell.write(2, f"sh: can't kill pid {pid}: {error}\n")
            status = 1
    yield Burn(0)  # a signal to ourselves arrives here, before the next command
    return status


def _job(shell: Shell, word: str) -> int | None:
    pids = list(shell.jobs.running)
    if word in ("%%", "%+", "%"):
        return pids[-1] if pids else None
    index = natural(word[1:])
    return pids[index - 1] if index and index <= len(pids) else None


def wait(shell: Shell, argv: list[str]) -> Steps:
    """Wait for jobs; the status is the last one's."""
    if len(argv) == 1:
        status = yield from shell.jobs.wait_all()
        shell.jobs.ended.clear()
    else:
        status = 0
        for word in argv[1:]:
            pid = _job(shell, word) if word.startswith("%") else natural(word)
            if pid is None:
                raise Failure(f"Illegal number: {word}")
            status = yield from shell.jobs.wait_one(pid)
            if status < 0:
                status = -status
                break
    if shell.signals.pending:
        shell.state.status = status
        yield shell.jobs.traps()
    return status


def jobs(shell: Shell, argv: list[str]) -> Steps:
    """List the background jobs."""
    yield from shell.jobs.reap()
    pids = list(shell.jobs.running)
    alive = {row[0]: row[3] for row in (yield Processes())} if pids else {}
    lines = [
        f"[{index}]{'+' if index == len(pids) else '-' if index == len(pids) - 1 else ' '} Running"
        f"{' ' * 20}{' '.join(alive.get(pid, ('sh',)))}\n"
        for index, pid in enumerate(pids, 1)
    ]
    yield from shell.write(1, "".join(lines))
    return 0


def foreground(shell: Shell, argv: list[str]) -> Steps:
    """`fg` and `bg` are refused."""
    raise Failure(REFUSED)
    yield


def umask(shell: Shell, argv: list[str]) -> Steps:
    """Show or set the mode mask (new files keep their usual mode: the mask is not applied)."""
    if len(argv) == 1:
        yield from shell.write(1, f"{shell.state.umask:04o}\n")
        return 0
    try:
        value = int(argv[1], 8)
    except ValueError:
        raise Failure(f"Illegal number: {argv[1]}") from None
    if value != 0o22:
        raise Failure(f"{argv[1]}: another mask than 0022 is not simulated")
    return 0


def ulimit(shell: Shell, argv: list[str]) -> Steps:
    """Show limits; setting them is refused."""
    flags = {"-n": "1048576", "-u": "unlimited", "-f": "unlimited", "-c": "unlimited", "-s": "8192", "-v": "unlimited"}
    words = [word for word in argv[1:] if word not in ("-S", "-H")]
    flag = words[0] if words and words[0].startswith("-") else "-f"
    value = next((word for word in words if not word.startswith("-")), None)
    if flag not in flags:
        raise Failure(f"{flag}: this limit is not simulated")
    if value is not None:
        if natural(value) is None and value != "unlimited":
            yield from shell.write(2, f"sh: invalid number '{value}'\n")
            return 1
        if value != flags[flag]:
            raise Failure("setting limits is not simulated")
        return 0
    yield from shell.write(1, flags[flag] + "\n")
    return 0


def times(shell: Shell, argv: list[str]) -> Steps:
    """Show the CPU time of this shell and (not counted) its children."""
    used = sum(row[5] for row in (yield Processes()) if row[0] == shell.ctx.pid) / 1000
    yield from shell.write(1, f"0m{used:.3f}s 0m0.000s\n0m0.000s 0m0.000s\n")
    return 0


BUILTINS: dict[str, Any] = {
    "kill": kill,
    "wait": wait,
    "jobs": jobs,
    "fg": foreground,
    "bg": foreground,
    "umask": umask,
    "ulimit": ulimit,
    "times": times,
}
