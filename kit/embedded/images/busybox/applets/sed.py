"""`sed` (models busybox editors/sed.c): the cycle over lines; patterns run in RE2."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import Burn, Errno
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.applets.sed_script import Address, Edit, Script

MAX_SPACE = 1 << 20
BATCH = 200  # commands between two charges of CPU time


class Editor:
    """Runs a script over lines."""

    def __init__(self, command: Command, edits: list[Edit], lines: list[bytes]) -> None:
        self.command = command
        self.edits = edits
        self.lines = lines
        self.number = 0
        self.space = self.hold = b""
        self.after: list[bytes] = []
        self.quiet = command.has("n")
        self.ended: int | None = None
        self.replaced = False
        self.out: list[bytes] = []

    def run(self) -> Generator[Any, Any, None]:
        """Do the cycle for every line."""
        restart = False
        while self.ended is None and (restart or self.number < len(self.lines)):
            if not restart:
                self.space = self._next()
                self.replaced = False
            restart = yield from self._cycle()
            self.out += self.after
            self.after = []

    def _next(self) -> bytes:
        self.number += 1
        return self.lines[self.number - 1].removesuffix(b"\n")

    def _print(self, data: bytes) -> None:
        last = self.number == len(self.lines) and not self.lines[-1].endswith(b"\n")
        self.out.append(data + (b"" if last else b"\n"))

    def _cycle(self) -> Generator[Any, Any, bool]:
        """Run the commands on one pattern space; True to begin again without reading."""
        index = steps = 0
        while index < len(self.edits):
            edit = self.edits[index]
            index += 1
            steps += 1
            if steps % BATCH == 0:
                yield Burn()
            if self._selected(edit) == edit.negated:
                index = edit.jump if edit.name == "{" else index
                continue
            verdict = self._apply(edit)
            if len(self.space) > MAX_SPACE or len(self.hold) > MAX_SPACE:
                raise Fail("out of memory")
            if verdict == "next":
                return False
            if verdict == "again":
                return True
            if verdict == "jump":
                index = edit.jump if edit.jump >= 0 else len(self.edits)
            elif verdict == "end":
                break
            elif edit.name == "r":
                try:
                    self.after.append(self.command.fs.read(edit.text, self.command.ctx.cwd))
                except Errno:
                    continue
        if not self.quiet and self.ended != -1:
            self._print(self.space)
        return False

    def _matches(self, address: Address) -> bool:
        if address.kind == "line":
            return self.number == address.number
        if address.kind == "end":
            return self.number == len(self.lines)
        if address.kind == "step":
            past = self.number - address.number
            return past == 0 if not address.step else past >= 0 and past % address.step == 0
        return address.pattern is not None and address.pattern.search(self.space) is not None

    def _selected(self, edit: Edit) -> bool:
        if edit.first is None:
            return True
        if edit.last is None:
            return self._matches(edit.first)
        if edit.active:
            last = edit.last
            if last.kind == "line" or last.kind == "plus":
                end = last.number if last.kind == "line" else edit.until
                edit.active = self.number < end
                return self.number <= end
            edit.active = not self._matches(last)
            return True
        if not self._matches(edit.first):
            return False
        edit.until = self.number + edit.last.number
        end = edit.last.number if edit.last.kind == "line" else edit.until
        edit.active = edit.last.kind not in ("line", "plus") or end > self.number
        return True

    def _apply(self, edit: Edit) -> str:
        name = edit.name
        if name == "s":
            self._substitute(edit)
        elif name == "y":
            self.space = self.space.translate(edit.table)
        elif name == "p":
            self._print(self.space)
        elif name == "P":
            self._print(self.space.split(b"\n")[0])
        elif name in "dD":
            if name == "D" and b"\n" in self.space:
                self.space = self.space.partition(b"\n")[2]
                return "again"
            return "next"
        elif name in "aic":
            return self._insert(edit)
        elif name in "nN":
            return self._read(name)
        elif name == "=":
            self.out.append(b"%d\n" % self.number)
        elif name in "qQ":
            self.ended = edit.nth
            return "end" if name == "q" else "next"
        elif name == "b":
            return "jump"
        elif name == "t":
            if self.replaced:
                self.replaced = False
                return "jump"
        elif name == "l":
            self.out.append(self.space.decode("latin-1").encode("unicode_escape") + b"$\n")
        else:
            self._hold(name)
        return ""

    def _hold(self, name: str) -> None:
        if name == "h":
            self.hold = self.space
        elif name == "H":
            self.hold += b"\n" + self.space
        elif name == "g":
            self.space = self.hold
        elif name == "G":
            self.space += b"\n" + self.hold
        elif name == "x":
            self.space, self.hold = self.hold, self.space

    def _insert(self, edit: Edit) -> str:
        data = edit.text.encode("utf-8", "surrogateescape")
        if edit.name == "a":
            self.after.append(data)
        elif edit.name == "i":
            self.out.append(data)
        else:
            if edit.last is None or not edit.active or edit.negated:
                self.out.append(data)
            return "next"
        return ""

    def _read(self, name: str) -> str:
        if self.number >= len(self.lines):
            return "end" if name == "N" or not self.quiet else "next"
        if name == "n":
            if not self.quiet:
                self._print(self.space)
            self.space = self._next()
        else:
            self.space += b"\n" + self._next()
        self.out += self.after
        self.after = []
        return ""

    def _substitute(self, edit: Edit) -> None:
        out: list[bytes] = []
        last = count = 0
        previous = -1
        for hit in edit.pattern.finditer(self.space):
            if hit.start() == hit.end() == previous:
                continue
            previous = hit.end()
            count += 1
            if count < edit.nth:
                continue
            out.append(self.space[last : hit.start()])
            out += [(hit.group(piece) or b"") if isinstance(piece, int) and piece <= edit.pattern.groups
                    else b"" if isinstance(piece, int) else piece.encode("utf-8", "surrogateescape") for piece in edit.by]  # fmt: skip
            last = hit.end()
            if "g" not in edit.flags:
                break
        if not out:
            return
        self.space = b"".join([*out, self.space[last:]])
        self.replaced = True
        if "p" in edit.flags:
            self._print(self.space)


def sed(command: Command) -> Steps:
    """Edit a stream."""
    words = command.parse(
        "niErse::f::", {"expression": "e::", "quiet": "n", "silent": "n", "regexp-extended": "E", "in-place": "i"}
    )
    parts = [str(text) for text in command.options.get("e", [])]
    for path in command.options.get("f", []):
        data = yield from command.whole(str(path))
        parts.append((data or b"").decode("utf-8", "surrogateescape"))
    if not parts:
        if not words:
            raise Usage
        parts = [words.pop(0)]
    script, extended = "\n".join(parts), command.has("E") or command.has("r")
    edits = Script(script, extended=extended).parse()
    if command.has("i"):
        return (yield from _in_place(command, script, words, extended=extended))
    lines: list[bytes] = []
    for path in words or ["-"]:
        data = yield from command.whole(path)
        if lines and not lines[-1].endswith(b"\n"):
            lines[-1] += b"\n"
        lines += _split(data or b"")
    editor = Editor(command, edits, lines)
    yield from editor.run()
    command.out(b"".join(editor.out))
    return max(0, editor.ended or 0)


def _split(data: bytes) -> list[bytes]:
    pieces = data.split(b"\n")
    tail = pieces.pop()
    return [piece + b"\n" for piece in pieces] + ([tail] if tail else [])


def _in_place(command: Command, script: str, words: list[str], *, extended: bool) -> Steps:
    now = yield from command.now()
    for path in words:
        data = yield from command.whole(path)
        if data is None:
            continue
        editor = Editor(command, Script(script, extended=extended).parse(), _split(data))
        yield from editor.run()
        command.allowed(path)
        command.fs.write(path, b"".join(editor.out), command.ctx.cwd, now=now)
    return 0


USAGE = "sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\nor: sed [-i[SFX]] [-nrE] CMD [FILE]..."
APPLETS: dict[str, Any] = table((("sed", sed, USAGE),))
