"""Applets that show files: cat, head, tail, tac, rev, tee, wc, nl, more, less."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.program import Close, Errno, IsTty, Open, Read, Sleep, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, LineReader, Steps, Work, table
from kit.embedded.images.busybox.words import natural


def cat(command: Command) -> Steps:
    """Write files one after the other."""
    words = command.parse("nbvteAEu")
    number = 0
    for path in words or ["-"]:
        if not (command.has("n") or command.has("b")):
            yield from command.chunks(path, command.out)
            continue
        data = yield from command.whole(path)
        for line in (data or b"").splitlines(keepends=True):
            if command.has("b") and line == b"\n":
                command.out(line)
                continue
            number += 1
            command.out(f"{number:6d}\t".encode() + line)
        yield from command.flush()
    return 0


def _legacy(args: list[str]) -> list[str]:
    """Turn `-5` into `-n 5`."""
    return [f"-n{word[1:]}" if word[:1] == "-" and word[1:].isdigit() else word for word in args]


def _count(command: Command, letter: str) -> tuple[int, str]:
    """Return a count with its sign and its suffix done."""
    text = str(command.options[letter])
    sign = text[:1] if text[:1] in ("+", "-") else ""
    body = text[len(sign) :]
    scale = {"k": 1024, "m": 1 << 20, "b": 512}.get(body[-1:].lower(), 1)
    value = natural(body[:-1] if scale > 1 else body)
    if value is None:
        raise Fail(f"invalid number '{text}'")
    return value * scale, sign


def head(command: Command) -> Steps:
    """Show the beginning of files."""
    command.args = _legacy(command.args)
    words = command.parse("n:c:qv", {"lines": "n:", "bytes": "c:"})
    letter = "c" if command.has("c") else "n"
    command.options.setdefault("n", "10")
    count, sign = _count(command, letter)
    for index, path in enumerate(words or ["-"]):
        if (len(words) > 1 and not command.has("q")) or command.has("v"):
            command.out(("\n" if index else "") + f"==> {path if path != '-' else 'standard input'} <==\n")
        if sign == "-":
            data = yield from command.whole(path)
            pieces = (data or b"").splitlines(keepends=True)
            command.out(
                b"".join(pieces[: max(0, len(pieces) - count)]) if letter == "n" else (data or b"")[: -count or None]
            )
            continue
        fd = yield from command.open(path)
        if fd >= 0:
            yield from _first(command, fd, path, count, lines=letter == "n")
            yield from command.close(fd)
    return 0


def _first(command: Command, fd: int, path: str, count: int, *, lines: bool) -> Work:
    left = count
    try:
        while left > 0 and (chunk := (yield Read(fd, 65536 if lines else min(left, 65536)))):
            if not lines:
                command.out(chunk)
                left -= len(chunk)
            else:
                found = chunk.count(b"\n")
                if found >= left:
                    chunk = b"".join(piece + b"\n" for piece in chunk.split(b"\n", left)[:left])
                command.out(chunk)
                left -= found
            yield from command.flush()
    except Errno as error:
        if error.name == "EPIPE":
            raise
        yield from command.say(f"{path}: {error}")


def tail(command: Command) -> Steps:
    """Show the end of files, with -f also what comes later."""
    command.args = _legacy(command.args)
    if command.args and command.args[0][:1] == "+" and command.args[0][1:].isdigit():
        command.args[0] = f"-n{command.args[0]}"
    words = command.parse("n:c:qvfFs:", {"lines": "n:", "bytes": "c:", "follow": "f"})
    letter = "c" if command.has("c") else "n"
    command.options.setdefault("n", "10")
    count, sign = _count(command, letter)
    ends: dict[str, int] = {}
    for index, path in enumerate(words or ["-"]):
        data = yield from command.whole(path)
        if data is None:
            continue
        if len(words) > 1 and not command.has("q"):
            command.out(("\n" if index else "") + f"==> {path} <==\n")
        ends[path] = len(data)
        pieces: Any = data.splitlines(keepends=True) if letter == "n" else data
        start = max(0, count - 1) if sign == "+" else max(0, len(pieces) - count)
        command.out(b"".join(pieces[start:]) if letter == "n" else pieces[start:])
    yield from command.flush()
    if command.has("f") or command.has("F"):
        yield from _follow(command, ends)
    return 0


def _follow(command: Command, ends: dict[str, int]) -> Work:
    ends.pop("-", None)
    while ends:
        yield Sleep(1000)
        for path, end in ends.items():
            try:
                data = command.fs.read(path, command.ctx.cwd)
            except Errno:
                continue
            if len(data) < end:
                end = 0
            if len(data) > end:
                command.out(data[end:])
                yield from command.flush()
            ends[path] = len(data)


def tac(command: Command) -> Steps:
    """Write lines in reverse order."""
    for path in command.parse("") or ["-"]:
        data = yield from command.whole(path)
        command.out(b"".join(reversed((data or b"").splitlines(keepends=True))))
    return 0


def rev(command: Command) -> Steps:
    """Reverse each line."""
    for path in command.parse("") or ["-"]:
        data = yield from command.whole(path)
        for line in (
            (data or b"")
            .decode("utf-8", "surrogateescape")
            .split("\n")[: -1 if (data or b"").endswith(b"\n") else None]
        ):
            command.out(line[::-1] + "\n")
    return 0


def tee(command: Command) -> Steps:
    """Copy the input to the output and to files."""
    words = command.parse("ai")
    files: list[int] = []
    for path in words:
        try:
            files.append((yield Open(path, "a" if command.has("a") else "w")))
        except Errno as error:
            yield from command.say(f"{path}: {error}")
    while chunk := (yield Read(0)):
        for fd in files:
            yield Write(fd, chunk)
        yield Write(1, chunk)
    for fd in files:
        yield Close(fd)
    return 0


def wc(command: Command) -> Steps:
    """Count lines, words, bytes."""
    words = command.parse("clwLm", {"lines": "l", "words": "w", "bytes": "c", "chars": "m"})
    shown = [letter for letter in "lwmcL" if command.has(letter)] or ["l", "w", "c"]
    totals = dict.fromkeys("lwmcL", 0)
    for path in words or ["-"]:
        data = yield from command.whole(path)
        if data is None:
            continue
        longest = max((len(line) for line in data.split(b"\n")), default=0)
        chars = len(data.decode("utf-8", "replace"))
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "m": chars, "c": len(data), "L": longest}
        totals = {
            letter: max(totals[letter], counts[letter]) if letter == "L" else totals[letter] + counts[letter]
            for letter in totals
        }
        _count_line(command, shown, counts, path if words else "")
    if len(words) > 1:
        _count_line(command, shown, totals, "total")
    return 0


def _count_line(command: Command, shown: list[str], counts: dict[str, int], name: str) -> None:
    numbers = " ".join(f"{counts[letter]:9d}" if len(shown) > 1 else str(counts[letter]) for letter in shown)
    command.out(f"{numbers}{' ' + name if name else ''}\n")


def nl(command: Command) -> Steps:
    """Number lines."""
    number = 0
    for path in command.parse("b:") or ["-"]:
        data = yield from command.whole(path)
        for line in (data or b"").splitlines(keepends=True):
            if line == b"\n" and command.options.get("b") != "a":
                command.out("       \n")
                continue
            number += 1
            command.out(f"{number:6d}\t".encode() + line)
    return 0


def more(command: Command) -> Steps:
    """Show files; without a terminal all at once, at a terminal page by page."""
    words = command.parse("EFIMmNSRhX~eg")
    if not words and command.name == "less" and (yield IsTty(0)):
        raise Fail("missing filename")
    paging = yield IsTty(1)
    for path in words or ["-"]:
        if not paging:
            yield from command.chunks(path, command.out)
        else:
            data = yield from command.whole(path)
            if data is not None and not (yield from _pages(command, data, paging=bool(words))):
                return command.status
    return 0


def _pages(command: Command, data: bytes, *, paging: bool) -> Any:
    lines = data.splitlines(keepends=True)
    keys = LineReader(0)
    while lines:
        page, lines = lines[:23], lines[23:]
        command.out(b"".join(page))
        if lines and paging:
            command.out("--More-- ")
            yield from command.flush()
            answer = yield from keys.line()
            if not answer or answer.strip() in (b"q", b"Q"):
                return False
        else:
            yield from command.flush()
    return True


def strings(command: Command) -> Steps:
    """Show runs of printable characters."""
    words = command.parse("fon:a")
    least = natural(str(command.options.get("n", 4))) or 4
    for path in words or ["-"]:
        data = yield from command.whole(path)
        for piece in bytes(byte if 32 <= byte < 127 or byte == 9 else 0 for byte in data or b"").split(b"\0"):
            if len(piece) >= least:
                command.out(piece + b"\n")
    return 0


APPLETS: dict[str, Any] = table((
    ("cat", cat, "cat [-nbvteAu] [FILE]..."),
    ("head", head, "head [OPTIONS] [FILE]..."),
    ("tail", tail, "tail [OPTIONS] [FILE]..."),
    ("tac", tac, "tac [FILE]..."),
    ("rev", rev, "rev [FILE]..."),
    ("tee", tee, "tee [-ai] [FILE]..."),
    ("wc", wc, "wc [-cmlwL] [FILE]..."),
    ("nl", nl, "nl [OPTIONS] [FILE]..."),
    ("more", more, "more [FILE]..."),
    ("less", more, "less [-EFIMmNSRh~] [FILE]..."),
    ("strings", strings, "strings [-fo] [-n LEN] [FILE]..."),
))  # fmt: skip
