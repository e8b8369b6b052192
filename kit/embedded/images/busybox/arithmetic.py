"""The shell's `$(( ))`: C expressions on 64-bit integers, compiled once to closures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

SYNTAX = "arithmetic syntax error"
MAX_DEPTH = 60
OPERATORS = ("<<=", ">>=", "**", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
             "+", "-", "*", "/", "%", "<", ">", "=", "!", "~", "&", "|", "^", "?", ":", "(", ")", ",")  # fmt: skip
BINARY = {"||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7, "<<": 8, ">>": 8,
          "+": 9, "-": 9, "*": 10, "/": 10, "%": 10, "**": 11}  # fmt: skip
ASSIGN = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="))


class ArithmeticFailure(Exception):
    """An expression that can't be parsed or computed; `str()` is ash's sentence."""


class Scope(Protocol):
    """Where names get their values from."""

    def get_number(self, name: str, depth: int) -> int:
        """Return a variable's value as a number, 0 when unset."""

    def set_number(self, name: str, value: int) -> None:
        """Set a variable."""


Evaluate = Callable[[Scope, int], int]


def wrap(value: int) -> int:
    """Return `value` as a signed 64-bit integer."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise ArithmeticFailure("divide by zero")
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _power(a: int, b: int) -> int:
    if b < 0:
        raise ArithmeticFailure("exponent less than 0")
    return pow(a, b, 1 << 64)


COMPUTE: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": lambda a, b: a - b * _divide(a, b),
    "**": _power,
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}


def number(text: str) -> int:
    """Return a C integer literal's value (decimal, 0x, octal, base#digits)."""
    base, hash_sign, digits = text.partition("#")
    try:
        if hash_sign:
            return int(digits, int(base))
        if text[:2] in ("0x", "0X"):
            return int(text, 16)
        return int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
    except ValueError:
        raise ArithmeticFailure(SYNTAX) from None


def tokens(text: str) -> list[str]:
    """Split an expression into numbers, names and operators."""
    found: list[str] = []
    index, size = 0, len(text)
    while index < size:
        char = text[index]
        if char in " \t\n":
            index += 1
        elif char.isascii() and (char.isalnum() or char == "_"):
            end = index
            while end < size and text[end].isascii() and (text[end].isalnum() or text[end] in "_#"):
                end += 1
            if end - index > 64:
                raise ArithmeticFailure(SYNTAX)
            found.append(text[index:end])
            index = end
        else:
            op = next((op for op in OPERATORS if text.startswith(op, index)), "")
            if not op:
                raise ArithmeticFailure(SYNTAX)
            found.append(op)
            index += len(op)
    return found


class Compiler:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.pos = 0
        self.depth = 0

    def whole(self) -> Evaluate:
        """Compile the whole expression; an empty one is 0."""
        if not self.tokens:
            return lambda scope, depth: 0
        result = self.comma()
        if self.pos < len(self.tokens):
            raise ArithmeticFailure(SYNTAX)
        return result

    def _next(self) -> str:
        return self.tokens[self.pos] if self.pos < len(self.tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self.pos += 1
        return token

    def comma(self) -> Evaluate:
        """Compile `a, b`."""
        left = self.assignment()
        while self._next() == ",":
            self.pos += 1
            left = _both(left, self.assignment())
        return left

    def assignment(self) -> Evaluate:
        """Compile `name op= value` or what binds tighter."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ArithmeticFailure("expression nested too deeply (not simulated)")
        try:
            name = self._next()
            op = self.tokens[self.pos + 1] if self.pos + 1 < len(self.tokens) else ""
            if op in ASSIGN and _is_name(name):
                self.pos += 2
                return _assign(name, op, self.assignment())
            return self._ternary()
        finally:
            self.depth -= 1

    def _ternary(self) -> Evaluate:
        condition = self._binary(1)
        if self._next() != "?":
            return condition
        self.pos += 1
        yes = self.comma()
        if self._take() != ":":
            raise ArithmeticFailure("malformed ?: operator")
        no = self.assignment()
        return lambda scope, depth: yes(scope, depth) if condition(scope, depth) else no(scope, depth)

    def _binary(self, least: int) -> Evaluate:
        left = self._unary()
        count = 0
        while (op := self._next()) in BINARY and BINARY[op] >= least:
            count += 1
            if count > 200:
                raise ArithmeticFailure("expression nested too deeply (not simulated)")
            self.pos += 1
            right = self._binary(BINARY[op] + (op != "**"))
            left = _combine(op, left, right)
        return left

    def _unary(self) -> Evaluate:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ArithmeticFailure("expression nested too deeply (not simulated)")
        try:
            return self._operand(self._take())
        finally:
            self.depth -= 1

    def _operand(self, token: str) -> Evaluate:
        if token in ("-", "+", "!", "~"):
            inner = self._unary()
            if token == "-":
                return lambda scope, depth: wrap(-inner(scope, depth))
            if token == "!":
                return lambda scope, depth: int(not inner(scope, depth))
            return inner if token == "+" else lambda scope, depth: ~inner(scope, depth)
        if token in ("++", "--"):
            name = self._take()
            if not _is_name(name):
                raise ArithmeticFailure(SYNTAX)
            return _step(name, 1 if token == "++" else -1, after=False)
        if token == "(":
            inner = self.comma()
            if self._take() != ")":
                raise ArithmeticFailure(SYNTAX)
            return inner
        if _is_name(token):
            if self._next() in ("++", "--"):
                return _step(token, 1 if self._take() == "++" else -1, after=True)
            return lambda scope, depth: scope.get_number(token, depth)
        if not token or not token[0].isdigit():
            raise ArithmeticFailure(SYNTAX)
        value = wrap(number(token))
        return lambda scope, depth: value


def _is_name(token: str) -> bool:
    return bool(token) and (token[0].isalpha() or token[0] == "_")


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    def run(scope: Scope, depth: int) -> int:
        left(scope, depth)
        return right(scope, depth)

    return run


def _assign(name: str, op: str, value: Evaluate) -> Evaluate:
    def run(scope: Scope, depth: int) -> int:
        result = value(scope, depth)
        if op != "=":
            result = wrap(COMPUTE[op[:-1]](scope.get_number(name, depth), result))
        scope.set_number(name, result)
        return result

    return run


def _step(name: str, step: int, *, after: bool) -> Evaluate:
    def run(scope: Scope, depth: int) -> int:
        old = scope.get_number(name, depth)
        new = wrap(old + step)
        scope.set_number(name, new)
        return old if after else new

    return run


def _combine(op: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if op == "&&":
        return lambda scope, depth: int(bool(left(scope, depth)) and bool(right(scope, depth)))
    if op == "||":
        return lambda scope, depth: int(bool(left(scope, depth)) or bool(right(scope, depth)))
    compute = COMPUTE[op]
    return lambda scope, depth: wrap(int(compute(left(scope, depth), right(scope, depth))))


def compile_expression(text: str) -> Evaluate:
    """Compile an expression; the result takes a scope and the depth of variables evaluated in variables."""
    return Compiler(text).whole()
