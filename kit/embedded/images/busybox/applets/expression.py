"""`expr`'s expressions (models busybox coreutils/expr.c)."""

from __future__ import annotations

from kit.embedded.images.busybox.applets.command import Fail
from kit.embedded.images.busybox.arithmetic import wrap
from kit.embedded.images.busybox.regex import RegexFailure, compile_basic
from kit.embedded.images.busybox.words import integer

Value = int | str
MAX_DEPTH = 50
LEVELS: tuple[frozenset[str], ...] = (
    frozenset(("|",)),
    frozenset(("&",)),
    frozenset(("<", "<=", "=", "==", "!=", ">=", ">")),
    frozenset(("+", "-")),
    frozenset(("*", "/", "%")),
    frozenset((":",)),
)


class _Words:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.pos = 0
        self.depth = 0

    def peek(self) -> str | None:
        return self.words[self.pos] if self.pos < len(self.words) else None

    def take(self) -> str:
        word = self.peek()
        if word is None:
            raise Fail("syntax error", 2)
        self.pos += 1
        return word


def evaluate(words: list[str]) -> Value:
    """Return the value of an expression; `Fail` with status 2 when it is wrong."""
    reader = _Words(words)
    value = _level(reader, 0)
    if reader.peek() is not None:
        raise Fail("syntax error", 2)
    return value


def _level(reader: _Words, level: int) -> Value:
    if level == len(LEVELS):
        return _primary(reader)
    left = _level(reader, level + 1)
    while (op := reader.peek()) in LEVELS[level] and op is not None:
        reader.pos += 1
        left = _apply(op, left, _level(reader, level + 1))
    return left


def _primary(reader: _Words) -> Value:
    word = reader.take()
    if word == "(":
        reader.depth += 1
        if reader.depth > MAX_DEPTH:
            raise Fail("expression nested too deeply (not simulated)", 2)
        value = _level(reader, 0)
        if reader.take() != ")":
            raise Fail("syntax error", 2)
        return value
    if word == "length" and reader.peek() is not None:
        return len(str(_primary(reader)))
    if word == "substr" and reader.peek() is not None:
        text, start, count = str(_primary(reader)), _primary(reader), _primary(reader)
        begin, size = _number(start), _number(count)
        return text[begin - 1 : begin - 1 + size] if begin > 0 and size > 0 else ""
    if word == "index" and reader.peek() is not None:
        text, chars = str(_primary(reader)), str(_primary(reader))
        return next((at for at, char in enumerate(text, 1) if char in chars), 0)
    if word == "match" and reader.peek() is not None:
        return _match(str(_primary(reader)), str(_primary(reader)))
    return word


def _number(value: Value) -> int:
    number = integer(value) if isinstance(value, str) else value
    if number is None:
        raise Fail("non-numeric argument", 2)
    return number


def _truth(value: Value) -> bool:
    return value not in ("", "0", 0)


def _apply(op: str, left: Value, right: Value) -> Value:
    if op == "|":
        return left if _truth(left) else right if _truth(right) else 0
    if op == "&":
        return left if _truth(left) and _truth(right) else 0
    if op == ":":
        return _match(str(left), str(right))
    if op in LEVELS[2]:
        return int(_compare(op, left, right))
    a, b = _number(left), _number(right)
    if op in "/%":
        if b == 0:
            raise Fail("division by zero", 2)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return wrap(quotient if op == "/" else a - b * quotient)
    return wrap({"+": a + b, "-": a - b, "*": a * b}[op])


def _compare(op: str, left: Value, right: Value) -> bool:
    a, b = integer(str(left)), integer(str(right))
    x: Value = a if a is not None and b is not None else str(left)
    y: Value = b if a is not None and b is not None else str(right)
    less = x < y  # type: ignore[operator]
    return {
        "=": x == y,
        "==": x == y,
        "!=": x != y,
        "<": less,
        "<=": less or x == y,
        ">": not less and x != y,
        ">=": not less,
    }[op]


def _match(text: str, pattern: str) -> Value:
    try:
        program = compile_basic(pattern)
    except RegexFailure as error:
        raise Fail(f"bad regex '{pattern}': {error}", 2) from None
    found = program.match(text.encode("utf-8", "surrogateescape"))
    groups = program.groups > 0
    if found is None:
        return "" if groups else 0
    if groups:
        return (found.group(1) or b"").decode("utf-8", "surrogateescape")
    return len(found.group(0).decode("utf-8", "surrogateescape"))
