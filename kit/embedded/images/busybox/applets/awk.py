"""`awk`, a practical subset (models busybox editors/awk.c): no user functions, no getline, no commands, no random numbers."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import Burn, Errno, Open, Write
from kit.embedded.images.busybox.applets.awk_numbers import Value, numeric, truth
from kit.embedded.images.busybox.applets.awk_syntax import Node, Parser
from kit.embedded.images.busybox.applets.awk_values import Values
from kit.embedded.images.busybox.applets.command import Command, Fail, LineReader, Steps, Usage, table

BATCH = 100  # statements between two charges of CPU time
Work = Generator[Any, Any, None]


class Flow(Exception):
    """next, exit, break or continue on its way up."""


class Awk:
    """One run of a program."""

    def __init__(self, command: Command, text: str) -> None:
        self.command = command
        self.rules = Parser(text).rules()
        self.values = Values(command.ctx.env)
        self.active = [False] * len(self.rules)
        self.steps = 0
        self.status = 0
        self.files: dict[str, int] = {}

    def run(self, words: list[str]) -> Steps:
        """Do BEGIN, every line, END."""
        try:
            yield from self._special("BEGIN")
            if any(pattern != "BEGIN" for pattern, _, _ in self.rules):
                yield from self._lines(words)
        except Flow as flow:
            if str(flow) != "exit":
                raise Fail(f"'{flow}' outside a loop", 2) from None
        try:
            yield from self._special("END")
        except Flow as flow:
            if str(flow) != "exit":
                raise Fail(f"'{flow}' outside a loop", 2) from None
        for fd in self.files.values():
            yield from self.command.close(fd)
        return self.status

    def _special(self, name: str) -> Work:
        for pattern, _, body in self.rules:
            if pattern == name:
                yield from self.execute(body)

    def _lines(self, words: list[str]) -> Work:
        paths = []
        for word in words:
            name, equals, value = word.partition("=")
            if equals and name.isidentifier():
                self.values.assign(name, numeric(value))
            else:
                paths.append(word)
        for path in paths or ["-"]:
            fd = yield from self.command.open(path)
            if fd < 0:
                self.status = 2
                continue
            self.values.assign("FILENAME", path if path != "-" else "")
            self.values.variables["FNR"] = 0.0
            reader = LineReader(fd, self.command)
            try:
                while line := (yield from reader.line()):
                    yield from self._record(line.removesuffix(b"\n").decode("utf-8", "surrogateescape"))
            except Errno as error:
                if error.name == "EPIPE":
                    raise
                yield from self.command.say(f"{path}: {error}")
            yield from self.command.close(fd)

    def _record(self, line: str) -> Work:
        values = self.values
        for name in ("NR", "FNR"):
            values.variables[name] = values.number(values.variables.get(name, 0.0)) + 1
        values.set_record(line)
        yield Burn(50)
        try:
            for index, (pattern, end, body) in enumerate(self.rules):
                if pattern in ("BEGIN", "END") or not self._selected(index, pattern, end):
                    continue
                if body is None:
                    self.command.out(values.record + values.text_of("ORS"))
                else:
                    yield from self.execute(body)
        except Flow as flow:
            if str(flow) != "next":
                raise
        if self.command.full():
            yield from self.command.flush()

    def _selected(self, index: int, pattern: Any, end: Any) -> bool:
        if pattern is None:
            return True
        if end is None:
            return truth(self.values.evaluate(pattern))
        if not self.active[index] and not truth(self.values.evaluate(pattern)):
            return False
        self.active[index] = not truth(self.values.evaluate(end))
        return True

    # --- statements ---

    def execute(self, node: Node) -> Work:
        """Run one statement."""
        self.steps += 1
        if self.steps % BATCH == 0:
            yield Burn()
            if self.command.full():
                yield from self.command.flush()
        kind = node[0]
        if kind == "block":
            for each in node[1]:
                yield from self.execute(each)
        elif kind == "expr":
            self.values.evaluate(node[1])
        elif kind in ("print", "printf"):
            yield from self._print(node)
        elif kind == "if":
            chosen = node[2] if truth(self.values.evaluate(node[1])) else node[3]
            if chosen is not None:
                yield from self.execute(chosen)
        elif kind in ("while", "do", "for"):
            yield from self._loop(node)
        elif kind == "forin":
            yield from self._for_in(node)
        elif kind == "delete":
            self.values.delete(node[1], node[2])
        elif kind == "exit":
            if node[1] is not None:
                self.status = int(self.values.number(self.values.evaluate(node[1]))) & 255
            raise Flow("exit")
        else:
            raise Flow(kind)

    def _loop(self, node: Node) -> Work:
        kind = node[0]
        condition, step, body = (node[2], node[3], node[4]) if kind == "for" else (node[1], None, node[2])
        if kind == "for" and node[1] is not None:
            yield from self.execute(node[1])
        first = kind == "do"
        while first or condition is None or truth(self.values.evaluate(condition)):
            first = False
            try:
                yield from self.execute(body)
            except Flow as flow:
                if str(flow) == "break":
                    return
                if str(flow) != "continue":
                    raise
            if step is not None:
                yield from self.execute(step)

    def _for_in(self, node: Node) -> Work:
        for key in list(self.values.array(node[2])):
            self.values.assign(node[1], numeric(key))
            try:
                yield from self.execute(node[3])
            except Flow as flow:
                if str(flow) == "break":
                    return
                if str(flow) != "continue":
                    raise

    def _print(self, node: Node) -> Work:
        values = self.values
        what, parts, target = node
        found: list[Value] = [values.evaluate(part) for part in parts]
        if what == "printf":
            text = values.format(found)
        elif not parts:
            text = values.record + values.text_of("ORS")
        else:
            text = values.text_of("OFS").join(values.printed(each) for each in found) + values.text_of("ORS")
        if target is None:
            self.command.out(text)
            return
        path = values.string(values.evaluate(target[1]))
        if path == "/dev/stderr":
            yield from self.command.raw_error(text)
            return
        if path == "/dev/stdout":
            self.command.out(text)
            return
        if path not in self.files:
            if len(self.files) > 50:
                raise Fail("too many open files")
            try:
                self.files[path] = yield Open(path, "a" if target[0] == ">>" else "w")
            except Errno as error:
                raise Fail(f"can't open '{path}': {error}", 2) from None
        yield Write(self.files[path], text.encode("utf-8", "surrogateescape"))


def awk(command: Command) -> Steps:
    """Run an awk program."""
    words = command.parse("F:v::f::e::", permute=False)
    parts = [str(text) for text in command.options.get("e", [])]
    for path in command.options.get("f", []):
        data = yield from command.whole(str(path))
        if data is None:
            return 1
        parts.append(data.decode("utf-8", "surrogateescape"))
    if not parts:
        if not words:
            raise Usage
        parts = [words.pop(0)]
    try:
        run = Awk(command, "\n".join(parts))
        if command.has("F"):
            separator = str(command.options["F"])
            run.values.assign("FS", "\t" if separator in ("t", "\\t") else separator)
        for text in command.options.get("v", []):
            name, equals, value = str(text).partition("=")
            if not equals or not name.isidentifier():
                raise Usage
            run.values.assign(name, numeric(value.replace("\\n", "\n").replace("\\t", "\t")))
        return (yield from run.run(words))
    except (OverflowError, ValueError, ZeroDivisionError) as error:
        raise Fail(
            f"cmd. line:1: {'Division by zero' if isinstance(error, ZeroDivisionError) else 'number out of range'}", 2
        ) from None


USAGE = "awk [OPTIONS] [AWK_PROGRAM] [FILE]..."
APPLETS: dict[str, Any] = table((("awk", awk, USAGE),))
