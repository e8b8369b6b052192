"""Applets about processes: sleep, kill, killall, pgrep, pkill, ps, top, timeout, time, nohup, watch, free, uptime, nproc."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import Context, Errno, Kill, Now, Processes, Sleep, Spawn, Trap, Wait
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.applets.identity import find_program, names_of, run_program
from kit.embedded.images.busybox.builtins.control import signal_number
from kit.embedded.images.busybox.builtins.processes import BadSignal, signal_lines, take_signal
from kit.embedded.images.busybox.words import integer, natural

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration_ms(text: str) -> int:
    """Return a duration (`0.5`, `2m`) in ms; `Fail` when it is none."""
    scale = UNITS.get(text[-1:], 0)
    digits = text[:-1] if scale else text
    if (
        not digits
        or not set(digits) <= set("0123456789.")
        or digits.count(".") > 1
        or digits == "."
        or len(digits) > 15
    ):
        raise Fail(f"invalid number '{text}'")
    return int(float(digits) * (scale or 1) * 1000)


def sleep(command: Command) -> Steps:
    """Wait."""
    if not command.args:
        raise Usage
    total = 0
    for word in command.args:
        if word in ("inf", "infinity"):
            total = 1 << 50
        else:
            total += duration_ms(word)
    yield Sleep(total)
    return 0


def kill(command: Command) -> Steps:
    """Send a signal."""
    words = list(command.args)
    if words[:1] == ["-l"]:
        command.out(signal_lines(words[1:]))
        return 0
    try:
        number = take_signal(words)
    except BadSignal as error:
        raise Fail(f"bad signal name '{error}'") from None
    if not words:
        raise Fail("you need to specify whom to kill")
    for word in words:
        pid = integer(word)
        if pid is None:
            yield from command.say(f"invalid number '{word}'")
            continue
        try:
            yield Kill(pid, number)
        except Errno as error:
            yield from command.say(f"can't kill pid {pid}: {error}")
    return 0


def _name(argv: tuple[str, ...]) -> str:
    return argv[0].rsplit("/", 1)[-1] if argv else ""


def killall(command: Command) -> Steps:
    """Send a signal to processes by name."""
    words = list(command.args)
    quiet = "-q" in words
    words = [word for word in words if word != "-q"]
    try:
        number = take_signal(words)
    except BadSignal as error:
        raise Fail(f"bad signal name '{error}'") from None
    rows = yield Processes()
    for word in words:
        pids = [row[0] for row in rows if _name(row[3]) == word and row[0] != command.ctx.pid]
        if not pids and not quiet:
            yield from command.say(f"{word}: no process killed")
        for pid in pids:
            yield Kill(pid, number)
    return 0


def pgrep(command: Command) -> Steps:
    """Find (pkill: signal) processes by a part of their name."""
    number = 15
    if (
        command.name == "pkill"
        and command.args
        and command.args[0][:1] == "-"
        and signal_number(command.args[0][1:]) is not None
    ):
        number = signal_number(command.args.pop(0)[1:]) or 0
    words = command.parse("flnovxs:")
    if len(words) != 1:
        raise Usage
    found = 0
    for row in (yield Processes()):
        text = " ".join(row[3]) if command.has("f") else _name(row[3])
        hit = text == words[0] if command.has("x") else words[0] in text
        if row[0] == command.ctx.pid or hit == command.has("v"):
            continue
        found += 1
        if command.name == "pkill":
            yield Kill(row[0], number)
        else:
            command.out(f"{row[0]}{' ' + text if command.has('l') else ''}\n")
    return int(found == 0)


def pidof(command: Command) -> Steps:
    """Print the pids of programs."""
    rows = yield Processes()
    pids = [str(row[0]) for row in reversed(rows) if _name(row[3]) in command.parse("so:")]
    command.out(" ".join(pids) + "\n" if pids else "")
    return int(not pids)


def ps(command: Command) -> Steps:
    """List processes."""
    columns = ["pid", "user", "args"]
    words = list(command.args)
    while words:
        word = words.pop(0)
        if word.startswith("-o"):
            columns = (word[2:] or (words.pop(0) if words else "")).split(",")
    users = names_of(command, "/etc/passwd")
    makers: dict[str, Any] = {
        "pid": ("PID  ", lambda row: f"{row[0]:5d}"),
        "ppid": ("PPID ", lambda row: f"{row[1]:5d}"),
        "user": ("USER    ", lambda row: f"{str(users.get(row[2], row[2]))[:8]:<8}"),
        "args": ("COMMAND", lambda row: " ".join(row[3]).replace("\n", " ") or "[?]"),
        "comm": ("COMMAND", lambda row: _name(row[3])[:15]),
        "stat": ("STAT", lambda row: f"{row[4]:<4}"),
        "time": ("TIME  ", lambda row: f"{row[5] // 60000:3d}:{row[5] // 1000 % 60:02d}"),
    }
    for column in columns:
        if column not in makers:
            raise Fail(f"bad -o argument '{column}', supported arguments: {','.join(makers)}")
    command.out(" ".join(makers[column][0] for column in columns).rstrip() + "\n")
    for row in (yield Processes()):
        command.out(" ".join(makers[column][1](row) for column in columns) + "\n")
    return 0


# --- memory ---


def memory(command: Command) -> dict[str, int]:
    """Return /proc/meminfo in kilobytes."""
    try:
        lines = command.fs.read("/proc/meminfo").decode("utf-8", "replace").splitlines()
    except Errno:
        lines = []
    found = {
        "MemTotal": 8388608,
        "MemFree": 7340032,
        "MemAvailable": 7864320,
        "Buffers": 0,
        "Cached": 524288,
        "Shmem": 0,
    }
    for line in lines:
        name, _, rest = line.partition(":")
        digits = rest.split()[0] if rest.split() else ""
        if digits.isdigit():
            found[name] = int(digits)
    return found


def free(command: Command) -> Steps:
    """Show memory."""
    command.parse("bkmgth")
    scale = next((shift for letter, shift in (("b", -10), ("m", 10), ("g", 20), ("t", 30)) if command.has(letter)), 0)
    info = memory(command)
    cached = info["Buffers"] + info["Cached"] + info.get("SReclaimable", 0)
    used = info["MemTotal"] - info["MemFree"] - cached
    values = [info["MemTotal"], used, info["MemFree"], info["Shmem"], cached, info["MemAvailable"]]
    shown = [value >> scale if scale >= 0 else value << -scale for value in values]
    command.out("              total        used        free      shared  buff/cache   available\n")
    command.out("Mem:   " + " ".join(f"{value:11d}" for value in shown) + "\n")
    command.out("Swap:  " + " ".join(f"{0:11d}" for _ in range(3)) + "\n")
    return 0
    yield


def top(command: Command) -> Steps:
    """Show processes by CPU."""
    command.parse("bHmn:d:p:")
    rounds = natural(str(command.options.get("n", 1))) or 1
    delay = duration_ms(str(command.options.get("d", "5")))
    before: dict[int, int] = {}
    for index in range(rounds):
        info = memory(command)
        total, unused = info["MemTotal"], info["MemFree"]
        command.out(
            f"Mem: {total - unused}K used, {unused}K free, {info['Shmem']}K shrd, {info['Buffers']}K buff, {info['Cached']}K cached\n"
        )
        rows = yield Processes()
        used = {row[0]: row[5] - before.get(row[0], 0) for row in rows}
        before = {row[0]: row[5] for row in rows}
        share = {pid: min(100, cpu * 100 // max(1, delay)) for pid, cpu in used.items()}
        busy = min(100, sum(share.values())) if index else 0
        command.out(f"CPU: {busy:3d}% usr   0% sys   0% nic {100 - busy:3d}% idle   0% io   0% irq   0% sirq\n")
        try:
            load = command.fs.read("/proc/loadavg").decode().strip()
        except Errno:
            load = "0.00 0.00 0.00 1/1 1"
        command.out(f"Load average: {load}\n  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n")
        users = names_of(command, "/etc/passwd")
        for pid, ppid, uid, argv, state, _ in sorted(rows, key=lambda row: (-share[row[0]], row[0])):
            percent = share[pid] if index else 0
            name = str(users.get(uid, uid))[:8]
            command.out(f"{pid:5d} {ppid:5d} {name:<8} {state:<4}  4408   0%   0 {percent:3d}% {' '.join(argv)[:48]}\n")
        yield from command.flush()
        if index < rounds - 1:
            yield Sleep(delay)
    return 0


# --- running others ---


def _spawn(command: Command, words: list[str]) -> Any:
    try:
        path = find_program(command, words[0])
        pid = yield Spawn(path, tuple(words), dict(command.ctx.env), command.ctx.cwd)
    except Errno as error:
        raise Fail(f"can't execute '{words[0]}': {error}", 127 if error.name == "ENOENT" else 126) from None
    return pid


def timeout(command: Command) -> Steps:
    """Run a program for so long at most: this process becomes the program, a child watches it."""
    words = command.parse("s:k:", permute=False)
    if len(words) < 2:
        raise Usage
    number = signal_number(str(command.options.get("s", "TERM")))
    if number is None:
        raise Fail(f"bad signal name '{command.options['s']}'")
    limit = duration_ms(words[0])
    grace = duration_ms(str(command.options["k"])) if command.has("k") else None
    pid = command.ctx.pid

    def watcher(ctx: Context) -> Steps:
        for wait_ms, signal in ((limit, number), (grace, 9)):
            if wait_ms is None or not (yield from _watch(pid, wait_ms)):
                return 0
            try:
                yield Kill(pid, signal)
            except Errno:
                return 0
        return 0

    yield Spawn("timeout", tuple(command.ctx.argv), {}, "/", {}, watcher)
    yield from run_program(command, words[1:], dict(command.ctx.env))
    return 0


def _watch(pid: int, wait_ms: int) -> Generator[Any, Any, bool]:
    """Wait, looking every second whether the process is still there; True when it is at the end."""
    while wait_ms > 0:
        yield Sleep(min(wait_ms, 1000))
        wait_ms -= 1000
        try:
            yield Kill(pid, 0)
        except Errno:
            return False
    return True


def time(command: Command) -> Steps:
    """Run a program and say how long it took."""
    words = command.parse("vpao:f:", permute=False)
    if not words:
        raise Usage
    start = yield Now()
    pid = yield from _spawn(command, words)
    _, status = yield Wait(pid)
    spent = ((yield Now()) - start) / 1000
    minutes, seconds = divmod(spent, 60)
    shape = f"real {spent:.2f}\nuser 0.00\nsys 0.00\n" if command.has("p") else ""
    text = shape or f"real\t{int(minutes)}m {seconds:.2f}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n"
    yield from command.raw_error(text)
    return int(status)


def nohup(command: Command) -> Steps:
    """Run a program that ignores HUP."""
    if not command.args:
        raise Usage
    yield Trap(1, "ignore")
    yield from run_program(command, command.args, dict(command.ctx.env))
    return 0


def nice(command: Command) -> Steps:
    """Run a program; priorities are not simulated, so it runs as any other."""
    words = command.parse("n:", permute=False)
    if not words:
        command.out("0\n")
        return 0
    yield from run_program(command, words, dict(command.ctx.env))
    return 0


def watch(command: Command) -> Steps:
    """Run a program again and again, at most 1000 times."""
    words = command.parse("n:t", permute=False)
    if not words:
        raise Usage
    delay = duration_ms(str(command.options.get("n", "2")))
    for _ in range(1000):
        command.out("\x1b[H\x1b[J")
        if not command.has("t"):
            command.out(f"Every {delay / 1000:.1f}s: {' '.join(words)}\n\n")
        yield from command.flush()
        pid = yield Spawn("/bin/sh", ("sh", "-c", " ".join(words)), dict(command.ctx.env), command.ctx.cwd)
        yield Wait(pid)
        yield Sleep(max(100, delay))
    raise Fail("stopped after 1000 runs (more is not simulated)")


def uptime(command: Command) -> Steps:
    """Show how long the node has been up."""
    from kit.embedded.images.busybox.applets.dates import moment, strftime

    now = yield Now()
    try:
        up = int(float(command.fs.read("/proc/uptime").split()[0]))
        load = ", ".join(command.fs.read("/proc/loadavg").decode().split()[:3])
    except (Errno, ValueError, IndexError):
        up, load = 0, "0.00, 0.00, 0.00"
    days, minutes = up // 86400, up // 60
    span = (f"{days} day{'s' if days != 1 else ''}, " if days else "") + (
        f"{minutes // 60 % 24}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes} min"
    )
    command.out(f" {strftime('%H:%M:%S', moment(now))} up {span},  load average: {load}\n")
    return 0


def nproc(command: Command) -> Steps:
    """Show the number of processors."""
    try:
        count = command.fs.read("/proc/cpuinfo").count(b"processor\t") or 4
    except Errno:
        count = 4
    command.out(f"{count}\n")
    return 0
    yield


APPLETS: dict[str, Any] = table((
    ("sleep", sleep, "sleep [N]..."),
    ("kill", kill, "kill [-l] [-SIG] PID..."),
    ("killall", killall, "killall [-lq] [-SIG] PROCESS_NAME..."),
    ("pgrep", pgrep, "pgrep [-flanovx] [-s SID|-P PPID] [PATTERN]"),
    ("pkill", pgrep, "pkill [-l|-SIGNAL] [-xfvnoe] [-s SID|-P PPID] [PATTERN]"),
    ("pidof", pidof, "pidof [NAME]..."),
    ("ps", ps, "ps [-o COL1,COL2=HEADER] [-T]"),
    ("free", free, "free [-bkmgth]"),
    ("top", top, "top [-bmH] [-n COUNT] [-d SECONDS]"),
    ("timeout", timeout, "timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS"),
    ("time", time, "time [-vpa] [-o FILE] PROG ARGS"),
    ("nohup", nohup, "nohup PROG ARGS"),
    ("nice", nice, "nice [-n ADJUST] [PROG ARGS]"),
    ("watch", watch, "watch [-n SEC] [-t] PROG ARGS"),
    ("uptime", uptime, "uptime"),
    ("nproc", nproc, "nproc"),
))  # fmt: skip
