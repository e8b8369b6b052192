"""`grep`, `egrep`, `fgrep` (models busybox findutils/grep.c); patterns run in RE2."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.inodes import Dir
from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.applets.command import Command, Fail, LineReader, Steps, Usage, table
from kit.embedded.images.busybox.regex import RegexFailure, compile_basic, compile_extended, compile_fixed
from kit.embedded.images.busybox.words import natural

OPTIONS = "lnqvscFiHhe::f::Lorm:wxA:B:C:EaRI"
LONG = {"color": "0", "color=auto": "0", "only-matching": "o", "count": "c", "ignore-case": "i", "invert-match": "v",
        "line-number": "n", "quiet": "q", "recursive": "r", "extended-regexp": "E", "fixed-strings": "F", "regexp": "e::",
        "after-context": "A:", "before-context": "B:", "context": "C:", "files-with-matches": "l", "word-regexp": "w",
        "max-count": "m:", "no-filename": "h", "with-filename": "H"}  # fmt: skip


class Grep:
    """One run over all its files."""

    def __init__(self, command: Command, patterns: list[str]) -> None:
        self.command = command
        self.patterns = [self._compile(pattern) for pattern in patterns]
        has = command.has
        self.before = _number(command, "B", _number(command, "C", 0))
        self.after = _number(command, "A", _number(command, "C", 0))
        self.most = _number(command, "m", 1 << 60)
        self.silent = has("q") or has("l") or has("L") or has("c")
        self.names = False
        self.found = False

    def _compile(self, pattern: str) -> Any:
        command = self.command
        make = compile_fixed if command.has("F") else compile_extended if command.has("E") else compile_basic
        try:
            return make(pattern, ignore_case=command.has("i"))
        except RegexFailure as error:
            note = f" ({error})" if "not simulated" in str(error) else ""
            raise Fail(f"bad regex '{pattern}'{note}", 2) from None

    def spans(self, line: bytes) -> list[tuple[int, int]]:
        """Return where the patterns match in a line."""
        found: list[tuple[int, int]] = []
        for pattern in self.patterns:
            if self.command.has("x"):
                if pattern.fullmatch(line):
                    found.append((0, len(line)))
                continue
            if not self.command.has("o") and not self.command.has("w"):
                if pattern.search(line):
                    return [(0, 0)]
                continue
            hits = [(hit.start(), hit.end()) for hit in pattern.finditer(line)]
            found += [hit for hit in hits if not self.command.has("w") or _is_word(line, *hit)]
        return sorted(found)

    def file(self, name: str, fd: int) -> Generator[Any, Any, None]:
        """Search one open file."""
        command = self.command
        reader = LineReader(fd, command)
        count = number = left = last = 0
        held: list[tuple[int, bytes]] = []
        context = bool(self.before or self.after)
        while line := (yield from reader.line()):
            number += 1
            text = line.removesuffix(b"\n")
            spans = self.spans(text)
            if bool(spans) != command.has("v"):
                count += 1
                self.found = True
                if command.has("q"):
                    return
                if not self.silent:
                    if context and last and number - len(held) > last + 1:
                        command.out("--\n")
                    for at, each in held:
                        self.line(name, at, each, "-")
                    self.hit(name, number, text, spans)
                held, left, last = [], self.after, number
                if count >= self.most:
                    break
            elif left and not self.silent:
                self.line(name, number, text, "-")
                left, last = left - 1, number
            elif self.before:
                held = [*held, (number, text)][-self.before :]
        if command.has("c"):
            command.out(f"{name + ':' if self.names else ''}{count}\n")
        elif (command.has("l") and count) or (command.has("L") and not count):
            command.out(name + "\n")

    def hit(self, name: str, number: int, text: bytes, spans: list[tuple[int, int]]) -> None:
        """Print a line that matches."""
        if not self.command.has("o"):
            self.line(name, number, text, ":")
            return
        for start, end in spans:
            if end > start:
                self.line(name, number, text[start:end], ":")

    def line(self, name: str, number: int, text: bytes, mark: str) -> None:
        """Print one line with its name and number."""
        head = (name + mark if self.names else "") + (f"{number}{mark}" if self.command.has("n") else "")
        self.command.out(head.encode("utf-8", "surrogateescape") + text + b"\n")


def _number(command: Command, letter: str, default: int) -> int:
    if not command.has(letter):
        return default
    value = natural(str(command.options[letter]))
    if value is None:
        raise Fail(f"invalid number '{command.options[letter]}'")
    return value


def _is_word(line: bytes, start: int, end: int) -> bool:
    def part_of_word(at: int) -> bool:
        return 0 <= at < len(line) and (line[at : at + 1].isalnum() or line[at] == 95)

    return not part_of_word(start - 1) and not part_of_word(end)


def grep(command: Command) -> Steps:
    """Print the lines that match."""
    if command.name == "egrep":
        command.options["E"] = 1
    if command.name == "fgrep":
        command.options["F"] = 1
    words = command.parse(OPTIONS, LONG)
    patterns = [line for text in command.options.get("e", []) for line in str(text).split("\n")]
    for path in command.options.get("f", []):
        data = yield from command.whole(str(path))
        patterns += (data or b"").decode("utf-8", "surrogateescape").splitlines()
    if not command.has("e") and not command.has("f"):
        if not words:
            raise Usage
        patterns = words.pop(0).split("\n")
    run = Grep(command, patterns)
    recursive = command.has("r") or command.has("R")
    paths = words or (["."] if recursive else ["-"])
    run.names = not command.has("h") and (command.has("H") or len(paths) > 1 or recursive)
    failed = False
    for path in paths:
        for each in _below(command, path) if recursive else [path]:
            failed = (yield from _one(command, run, each, quiet=command.has("s"))) or failed
            if run.found and command.has("q"):
                return 0
    command.status = 0
    return 2 if failed else int(not run.found)


def _one(command: Command, run: Grep, path: str, *, quiet: bool) -> Generator[Any, Any, bool]:
    """Search one file; True when it couldn't be read."""
    if quiet and path != "-" and not command.fs.exists(path, command.ctx.cwd):
        return True
    fd = yield from command.open(path)
    if fd < 0:
        return True
    try:
        yield from run.file("(standard input)" if path == "-" else path, fd)
    except Errno as error:
        if error.name == "EPIPE":
            raise
        if error.name != "EISDIR":
            yield from command.say(f"{path}: {error}")
    yield from command.close(fd)
    return False


def _below(command: Command, path: str) -> list[str]:
    try:
        node = command.node(path)
    except Errno:
        return [path]
    if not isinstance(node, Dir):
        return [path]
    return (
        [each for name in node.children for each in _below(command, f"{path.rstrip('/')}/{name}")]
        if path.count("/") < 60
        else []
    )


USAGE = "grep [-HhnlLoqvsriwFEz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]..."
APPLETS: dict[str, Any] = table((("grep", grep, USAGE), ("egrep", grep, USAGE), ("fgrep", grep, USAGE)))
