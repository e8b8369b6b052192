"""The tokens of the `awk` subset."""

from __future__ import annotations

from kit.embedded.images.busybox.applets.command import Fail

KEYWORDS = frozenset(("BEGIN", "END", "if", "else", "while", "for", "do", "in", "print", "printf", "next", "exit", "break", "continue",
                      "delete", "function", "func", "getline", "return", "nextfile", "switch"))  # fmt: skip
FUNCTIONS = frozenset(("length", "substr", "split", "index", "sub", "gsub", "match", "toupper", "tolower", "int", "sprintf", "sqrt",
                       "exp", "log", "sin", "cos", "atan2", "rand", "srand", "system", "close", "fflush", "systime", "strftime",
                       "and", "or", "xor", "lshift", "rshift", "compl", "mktime"))  # fmt: skip
REFUSED = frozenset(("function", "func", "getline", "return", "nextfile", "switch", "rand", "srand", "system", "close", "fflush",
                     "systime", "strftime", "mktime"))  # fmt: skip
OPERATORS = (
    "**=",
    "&&",
    "||",
    "==",
    "!=",
    "<=",
    ">=",
    "++",
    "--",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "^=",
    "**",
    "!~",
    ">>",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    "\n",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "!",
    ">",
    "<",
    "|",
    "?",
    ":",
    "~",
    "$",
    "=",
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
ASSIGN = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "^=", "**="))
COMPARE = frozenset(("<", "<=", ">", ">=", "==", "!="))
MAX_DEPTH = 50
VALUE_END = frozenset((")", "]", "$"))


def unexpected(line: int) -> Fail:
    """Return busybox's one syntax error."""
    return Fail(f"cmd. line:{line}: Unexpected token")


def refuse(line: int, what: str) -> Fail:
    """Return the error of something that is not simulated."""
    return Fail(f"cmd. line:{line}: {what}: not simulated")


class Tokens:
    """The tokens of a program: (kind, text, line); kinds are num, str, re, name, func, word, op, eof."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.line = 1
        self.found: list[tuple[str, str, int]] = []
        while self._one():
            pass
        self.found.append(("eof", "", self.line))

    def _add(self, kind: str, text: str) -> bool:
        self.found.append((kind, text, self.line))
        self.line += text == "\n" and kind == "op"
        return True

    def _one(self) -> bool:
        text = self.text
        while self.pos < len(text) and (text[self.pos] in " \t\r" or text.startswith("\\\n", self.pos)):
            self.pos += 2 if text[self.pos] == "\\" else 1
        if self.pos >= len(text):
            return False
        char = text[self.pos]
        if char == "#":
            end = text.find("\n", self.pos)
            self.pos = len(text) if end < 0 else end
            return True
        if char.isdigit() or (char == "." and text[self.pos + 1 : self.pos + 2].isdigit()):
            return self._number()
        if char.isalpha() or char == "_":
            return self._name()
        if char == '"':
            return self._add("str", self._quoted('"'))
        if char == "/" and not self._after_value():
            return self._add("re", self._quoted("/"))
        for op in OPERATORS:
            if text.startswith(op, self.pos):
                self.pos += len(op)
                return self._add("op", {"**": "^", "**=": "^="}.get(op, op))
        raise unexpected(self.line)

    def _after_value(self) -> bool:
        if not self.found:
            return False
        kind, text, _ = self.found[-1]
        return kind in ("num", "str", "name", "func") or (kind == "op" and text in VALUE_END | {"++", "--"})

    def _number(self) -> bool:
        start = self.pos
        text = self.text
        while self.pos < len(text) and (text[self.pos].isdigit() or text[self.pos] == "."):
            self.pos += 1
        rest = text[self.pos : self.pos + 2]
        if rest[:1] in ("e", "E") and (rest[1:].isdigit() or rest[1:] in ("+", "-")):
            self.pos += 2
            while self.pos < len(text) and text[self.pos].isdigit():
                self.pos += 1
        return self._add("num", text[start : self.pos])

    def _name(self) -> bool:
        start = self.pos
        while self.pos < len(self.text) and (self.text[self.pos].isalnum() or self.text[self.pos] == "_"):
            self.pos += 1
        name = self.text[start : self.pos]
        if name in REFUSED:
            raise refuse(self.line, name)
        if name not in KEYWORDS and name not in FUNCTIONS and self.text.startswith("(", self.pos):
            raise refuse(self.line, f"function {name}")
        return self._add("word" if name in KEYWORDS else "func" if name in FUNCTIONS else "name", name)

    def _quoted(self, quote: str) -> str:
        out: list[str] = []
        self.pos += 1
        while self.pos < len(self.text) and self.text[self.pos] != quote:
            char = self.text[self.pos]
            if char == "\n":
                raise unexpected(self.line)
            self.pos += 1
            if char == "\\" and self.pos < len(self.text):
                following = self.text[self.pos]
                self.pos += 1
                if quote == "/":
                    out.append(following if following == "/" else "\\" + following)
                else:
                    out.append(ESCAPES.get(following, "\\" + following))
            else:
                out.append(char)
        if self.pos >= len(self.text):
            raise unexpected(self.line)
        self.pos += 1
        return "".join(out)
