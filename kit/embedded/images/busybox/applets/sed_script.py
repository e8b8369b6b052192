"""The scripts of `sed`: addresses, commands and the parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kit.embedded.images.busybox.applets.command import Fail
from kit.embedded.images.busybox.regex import RegexFailure, compile_basic, compile_extended

MAX_COMMANDS = 2000


@dataclass
class Address:
    """A line number, `$`, a pattern, `first~step` or `+count`."""

    kind: str
    number: int = 0
    step: int = 0
    pattern: Any = None


@dataclass
class Edit:
    """One command of a script."""

    name: str
    first: Address | None = None
    last: Address | None = None
    negated: bool = False
    text: str = ""
    pattern: Any = None
    by: list[str | int] = field(default_factory=list)
    flags: str = ""
    nth: int = 0
    jump: int = -1
    table: bytes = b""
    active: bool = False
    until: int = 0


class Script:
    """Parses a script."""

    def __init__(self, text: str, *, extended: bool) -> None:
        self.text = text
        self.pos = 0
        self.compile = compile_extended if extended else compile_basic
        self.edits: list[Edit] = []
        self.blocks: list[int] = []
        self.labels: dict[str, int] = {}
        self.last_pattern: Any = None

    def parse(self) -> list[Edit]:
        """Return the commands with their jumps resolved."""
        while True:
            self._skip(" \t\n;")
            if self.pos >= len(self.text):
                break
            if len(self.edits) >= MAX_COMMANDS:
                raise Fail("script too long (not simulated)")
            self._command()
        if self.blocks:
            raise Fail("unmatched '{'")
        for edit in self.edits:
            if edit.name in "bt" and edit.text:
                if edit.text not in self.labels:
                    raise Fail(f"can't find label for jump to '{edit.text}'")
                edit.jump = self.labels[edit.text]
        return self.edits

    def _skip(self, chars: str) -> None:
        while self.pos < len(self.text) and self.text[self.pos] in chars:
            self.pos += 1

    def _take(self) -> str:
        char = self.text[self.pos : self.pos + 1]
        self.pos += 1
        return char

    def _pattern(self, text: str, *, ignore_case: bool = False) -> Any:
        if not text:
            if self.last_pattern is None:
                raise Fail("no previous regexp")
            return self.last_pattern
        try:
            self.last_pattern = self.compile(text, ignore_case=ignore_case)
        except RegexFailure as error:
            note = f" ({error})" if "not simulated" in str(error) else ""
            raise Fail(f"bad regex '{text}'{note}") from None
        return self.last_pattern

    def _number(self) -> int:
        start = self.pos
        while self.pos < len(self.text) and self.text[self.pos].isdigit() and self.pos - start < 9:
            self.pos += 1
        return int(self.text[start : self.pos] or 0)

    def _address(self) -> Address | None:
        char = self.text[self.pos : self.pos + 1]
        if char.isdigit():
            number = self._number()
            if self.text[self.pos : self.pos + 1] == "~":
                self.pos += 1
                return Address("step", number, self._number())
            return Address("line", number)
        if char == "$":
            self.pos += 1
            return Address("end")
        if char == "+":
            self.pos += 1
            return Address("plus", self._number())
        if char == "/" or char == "\\":
            self.pos += 1 if char == "/" else 2
            delimiter = "/" if char == "/" else self.text[self.pos - 1 : self.pos]
            if not delimiter:
                raise Fail("no address after \\")
            text = self._delimited(delimiter)
            ignore = self.text[self.pos : self.pos + 1] == "I"
            self.pos += ignore
            return Address("pattern", pattern=self._pattern(text, ignore_case=ignore))
        return None

    def _delimited(self, delimiter: str, *, pattern: bool = True) -> str:
        """Read up to an unescaped delimiter (in a bracket expression it is plain)."""
        out: list[str] = []
        bracket = False
        while self.pos < len(self.text):
            char = self._take()
            if char == "\\" and self.pos < len(self.text):
                following = self._take()
                if following == delimiter:
                    out.append(following)
                elif following == "n" and pattern:
                    out.append("\n" if bracket else "\\n")
                else:
                    out.append("\\" + following)
            elif bracket:
                bracket = not (char == "]" and out[-1] not in ("[", "[^"))
                out.append(char)
            elif char == delimiter:
                return "".join(out)
            elif char == "[" and pattern:
                bracket = True
                out.append("[^" if self.text[self.pos : self.pos + 1] == "^" else "[")
                self.pos += out[-1] == "[^"
            else:
                out.append(char)
        raise Fail(f"unmatched '{delimiter}'")

    def _command(self) -> None:
        edit = Edit("")
        edit.first = self._address()
        if edit.first is not None:
            self._skip(" \t")
            if self.text[self.pos : self.pos + 1] == ",":
                self.pos += 1
                self._skip(" \t")
                edit.last = self._address()
                if edit.last is None:
                    raise Fail("no address after comma")
        self._skip(" \t")
        while self.text[self.pos : self.pos + 1] == "!":
            edit.negated = True
            self.pos += 1
            self._skip(" \t")
        edit.name = self._take()
        if edit.name == "":
            raise Fail("missing command")
        if edit.name == "#":
            end = self.text.find("\n", self.pos)
            self.pos = len(self.text) if end < 0 else end
            return
        self._arguments(edit)

    def _arguments(self, edit: Edit) -> None:
        name = edit.name
        if name == "{":
            self.blocks.append(len(self.edits))
        elif name == "}":
            if not self.blocks:
                raise Fail("unexpected '}'")
            self.edits[self.blocks.pop()].jump = len(self.edits)
        elif name in "aic":
            edit.text = self._text()
        elif name in ":bt":
            self._skip(" \t")
            start = self.pos
            stop = "\n; \t" if name == ":" else "\n;}"
            while self.pos < len(self.text) and self.text[self.pos] not in stop:
                self.pos += 1
            edit.text = self.text[start : self.pos].strip()
            if name == ":":
                self.labels[edit.text] = len(self.edits)
        elif name == "s":
            self._substitute(edit)
        elif name == "y":
            self._translate(edit)
        elif name in "rw":
            self._skip(" \t")
            end = self.text.find("\n", self.pos)
            edit.text = self.text[self.pos : len(self.text) if end < 0 else end]
            self.pos = len(self.text) if end < 0 else end
            if name == "w":
                raise Fail("the w command is not simulated")
        elif name in "qQ":
            self._skip(" \t")
            edit.nth = self._number()
        elif name not in "=dDgGhHlnNpPxF":
            raise Fail(f"unsupported command {name}")
        self.edits.append(edit)
        self._skip(" \t")
        if name not in "{aic" and self.text[self.pos : self.pos + 1] not in ("", ";", "\n", "}", "#"):
            raise Fail("unknown option to s" if name == "s" else f"unsupported command {name}{self.text[self.pos]}")

    def _text(self) -> str:
        self._skip(" \t")
        if self.text.startswith("\\", self.pos):
            self.pos += 1
            self._skip(" \t")
            self.pos += self.text.startswith("\n", self.pos)
        out: list[str] = []
        while self.pos < len(self.text) and self.text[self.pos] != "\n":
            char = self._take()
            if char == "\\" and self.pos < len(self.text):
                char = self._take()
            out.append(char)
        if not out:
            raise Fail("expected \\ after 'a', 'c' or 'i'")
        return "".join(out) + "\n"

    def _substitute(self, edit: Edit) -> None:
        delimiter = self._take()
        pattern = self._delimited(delimiter)
        replacement = self._delimited(delimiter, pattern=False)
        while self.pos < len(self.text) and self.text[self.pos] in "gpIiewm0123456789":
            if self.text[self.pos].isdigit():
                edit.nth = self._number()
                continue
            edit.flags += self._take()
        if set(edit.flags) & set("ewm"):
            raise Fail("the flags e, w and m of s are not simulated")
        edit.pattern = self._pattern(pattern, ignore_case="i" in edit.flags.lower())
        edit.by = _pieces(replacement)

    def _translate(self, edit: Edit) -> None:
        delimiter = self._take()
        old = self._delimited(delimiter, pattern=False).replace("\\n", "\n").encode("utf-8", "surrogateescape")
        new = self._delimited(delimiter, pattern=False).replace("\\n", "\n").encode("utf-8", "surrogateescape")
        if len(old) != len(new):
            raise Fail("y/// strings have different lengths")
        edit.table = bytes.maketrans(old, new)


def _pieces(text: str) -> list[str | int]:
    """Split a replacement into text and group numbers (& is 0)."""
    out: list[str | int] = []
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char == "&":
            out.append(0)
        elif char == "\\" and index < len(text):
            following = text[index]
            index += 1
            out.append(int(following) if following.isdigit() else {"n": "\n", "t": "\t"}.get(following, following))
        else:
            out.append(char)
    return out
