"""POSIX regular expressions, basic and extended, translated for RE2 (linear time whatever the user writes)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from kit.embedded.images.busybox.pattern import CLASSES, options

MAX_PATTERN = 8192


class RegexFailure(Exception):
    """A pattern that is wrong or not simulated; `str()` says why."""


def compile_basic(pattern: str, *, ignore_case: bool = False) -> Any:
    """Compile a basic regular expression for bytes."""
    return _compiled(_translate(pattern, extended=False), ignore_case)


def compile_extended(pattern: str, *, ignore_case: bool = False) -> Any:
    """Compile an extended regular expression for bytes."""
    return _compiled(_translate(pattern, extended=True), ignore_case)


def compile_fixed(text: str, *, ignore_case: bool = False) -> Any:
    """Compile a pattern that matches just `text`."""
    return _compiled("".join(map(_literal, text)), ignore_case)


@lru_cache(maxsize=256)
def _compiled(translated: str, ignore_case: bool) -> Any:
    choices = options()
    choices.case_sensitive = not ignore_case
    choices.encoding = re2.Options.Encoding.LATIN1
    try:
        return re2.compile(translated.encode("utf-8", "surrogateescape"), choices)
    except re2.error as error:
        text = error.args[0] if error.args else ""
        raise RegexFailure(text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)) from None


def _literal(char: str) -> str:
    if char.isalnum() or char == "_" or ord(char) > 127:
        return char
    return f"\\x{ord(char):02x}"


class _Translator:
    def __init__(self, pattern: str, *, extended: bool) -> None:
        self.text = pattern
        self.extended = extended
        self.pos = 0
        self.out: list[str] = []
        self.depth = 0
        self.atom = False  # something stands here that * could repeat
        self.start = True

    def run(self) -> str:
        while self.pos < len(self.text):
            char = self.text[self.pos]
            self.pos += 1
            if char == "\\":
                self._escape()
            elif char == "[":
                self._add(self._bracket())
            elif char == ".":
                self._add(".")
            elif char == "*":
                self._repeat("*") if self.atom else self._add("\\*")
            elif self.extended and char in "+?":
                self._repeat(char) if self.atom else self._add("\\" + char)
            elif self.extended and char in "()|{":
                self._operator(char)
            elif char == "^" and (self.extended or self.start):
                self._anchor("^")
            elif char == "$" and (self.extended or self._ends()):
                self._anchor("$")
            else:
                self._add(_literal(char) if ord(char) < 128 else f"(?:{char})")
        if self.depth:
            raise RegexFailure("Unmatched ( or \\(")
        return "".join(self.out)

    def _add(self, text: str) -> None:
        self.out.append(text)
        self.atom, self.start = True, False

    def _anchor(self, text: str) -> None:
        self.out.append(text)
        self.atom = False

    def _repeat(self, text: str) -> None:
        if self.out[-1][-1:] in ("*", "+", "?", "}") and not self.out[-1].startswith("\\"):
            self.out.insert(self._atom_start(), "(?:")
            self.out.append(")")
        self.out.append(text)
        self.start = False

    def _atom_start(self) -> int:
        index = len(self.out) - 1
        while index > 0 and self.out[index][:1] in ("*", "+", "?", "{"):
            index -= 1
        if self.out[index] != ")":
            return index
        depth = 0
        while index >= 0:
            depth += {")": 1, "(": -1, "(?:": -1}.get(self.out[index], 0)
            if depth == 0:
                return index
            index -= 1
        return 0

    def _ends(self) -> bool:
        rest = self.text[self.pos :]
        return rest == "" or rest.startswith(("\\)", "\\|"))

    def _operator(self, char: str) -> None:
        if char == "(":
            self.depth += 1
            if self.depth > 100:
                raise RegexFailure("nested too deeply")
            self.out.append("(")
            self.atom, self.start = False, True
        elif char == ")":
            if self.depth == 0:
                if not self.extended:
                    raise RegexFailure("Unmatched ) or \\)")
                self._add("\\)")
                return
            self.depth -= 1
            self.out.append(")")
            self.atom, self.start = True, False
        elif char == "|":
            self.out.append("|")
            self.atom, self.start = False, True
        else:
            self._interval()

    def _interval(self) -> None:
        close = "}" if self.extended else "\\}"
        end = self.text.find(close, self.pos)
        body = self.text[self.pos : end] if end >= 0 else ""
        low, comma, high = body.partition(",")
        if end < 0 or not (low.isdigit() or (comma and not low)) or (high and not high.isdigit()):
            if self.extended:
                self._add("\\{")
                return
            raise RegexFailure("Invalid content of \\{\\}")
        self.pos = end + len(close)
        if not self.atom:
            raise RegexFailure("Invalid preceding regular expression")
        self._repeat(f"{{{low or 0}{comma}{high}}}")

    def _escape(self) -> None:
        if self.pos >= len(self.text):
            raise RegexFailure("Trailing backslash")
        char = self.text[self.pos]
        self.pos += 1
        classes = {
            "w": "[0-9A-Za-z_]",
            "W": "[^0-9A-Za-z_]",
            "s": "[[:space:]]",
            "S": "[^[:space:]]",
            "n": "\\n",
            "t": "\\t",
        }
        if not self.extended and char in "(){|":
            self._operator(char)
        elif not self.extended and char in "+?":
            self._repeat(char) if self.atom else self._add("\\" + char)
        elif char in "123456789":
            raise RegexFailure("back-references are not simulated")
        elif char in "<>b":
            self._anchor("\\b")
        elif char == "B":
            self._anchor("\\B")
        elif char in classes:
            self._add(classes[char])
        else:
            self._add(_literal(char))

    def _bracket(self) -> str:
        text, index = self.text, self.pos
        negated = text.startswith("^", index)
        index += negated
        out: list[str] = []
        first = True
        while index < len(text) and (text[index] != "]" or first):
            first = False
            if text.startswith("[:", index):
                name = text[index + 2 : text.find(":]", index)] if ":]" in text[index:] else ""
                if name not in CLASSES:
                    raise RegexFailure("Invalid character class name")
                out.append(f"[:{name}:]")
                index += len(name) + 4
                continue
            char = text[index]
            index += 1
            if text.startswith("-", index) and text[index + 1 : index + 2] not in ("]", ""):
                high = text[index + 1]
                index += 2
                if char > high:
                    raise RegexFailure("Invalid range end")
                out.append(f"{_literal(char)}-{_literal(high)}")
            else:
                out.append(_literal(char))
        if index >= len(text):
            raise RegexFailure("Unmatched [, [^, [:, [., or [=")
        self.pos = index + 1
        return f"[{'^' if negated else ''}{''.join(out)}]"


def _translate(pattern: str, *, extended: bool) -> str:
    if len(pattern) > MAX_PATTERN:
        raise RegexFailure("Regular expression too big")
    return _Translator(pattern, extended=extended).run()
